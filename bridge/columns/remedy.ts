/** Tells the client what to do about a value that does not fit the type that column finding chose. No I/O. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { identifier, literal } from '../../lib/common/text/sql-literal.ts';
import type { QueryInput } from '../request/request.ts';
import type { TableColumn } from './structure.ts';
import type { TypeMismatch } from './type-mismatch.ts';

/** Bound of all arguments together: an error is one line, which would be cut if it were longer (error-line.ts). */
const ARGUMENTS_CHARS_MAX = 2500;

const WHERE_PREFIX = '/where/';

/**
 * Returns the error with a complete call that states the column types.
 * @param view name of the view that was queried, such as `bigtrace_where`
 * @param isLearned whether the orchestrator has learned the type: then the same query succeeds
 * @param cluster the argument of that name, if the view has it
 */
export function withRemedy(
  mismatch: TypeMismatch,
  columns: readonly TableColumn[],
  {
    view,
    input,
    isLearned,
    cluster,
  }: { view: string; input: QueryInput; isLearned: boolean; cluster?: string },
): BigtraceError {
  const structure = columns.map((column) => {
    const wider = `Nullable(${mismatch.facts.wider})`;
    const type = column.name === mismatch.facts.column.name ? wider : nameOfType(column);
    return `${nameOf(column.name)} ${type}`;
  });
  const call = `bigtrace.${view}_as(${argumentsOf(structure.join(', '), input, cluster)})`;
  const retry = isLearned ? 'run the query again (the type of the column is known now), or ' : '';
  const reason = `the type was chosen from a sample of the traces`;
  return new BigtraceError('type_mismatch', `${mismatch.what}; ${reason}: ${retry}use ${call}`, {
    ...(mismatch.trace === undefined ? {} : { trace: mismatch.trace }),
    cause: mismatch,
  });
}

/** The arguments of the view that takes a structure; those that do not fit into ARGUMENTS_CHARS_MAX are left out. */
function argumentsOf(columns: string, input: QueryInput, cluster: string | undefined): string {
  const all: Record<string, string | string[]> = {
    structure: columns,
    ...(cluster === undefined ? {} : { cluster }),
    ...tracesOf(input),
    sql: textFromBytes(input.sql),
  };
  let charsLeft = ARGUMENTS_CHARS_MAX;
  // The structure goes first, because the client does not have it yet.
  return Object.entries(all)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? quoted(value) : `[${value.map(quoted).join(', ')}]`;
      charsLeft -= text.length;
      return `${name}=${charsLeft < 0 ? '… (unchanged)' : text}`;
    })
    .join(', ');
}

function tracesOf({ traces, list, lenient }: QueryInput): Record<string, string | string[]> {
  if (list !== undefined) return { table: list.table, on_failure: lenient ? 'lenient' : 'strict' };
  const addresses = traces.map(textFromBytes);
  const [first = ''] = addresses;
  return first.startsWith(WHERE_PREFIX)
    ? { filter: first.slice(WHERE_PREFIX.length) }
    : { traces: addresses };
}

/** The base type instead of the alias that column finding writes (BIGINT, BLOB). */
function nameOfType({ type }: TableColumn): string {
  return `Nullable(${type.base})`;
}

function nameOf(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : identifier(name);
}

/** A SQL literal without line breaks. */
function quoted(text: string): string {
  return literal(text).replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}
