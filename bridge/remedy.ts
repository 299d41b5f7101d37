/** What the client can do about a value that does not fit a column whose type was found. Pure. */
import { textFromBytes } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import type { Misfit } from './misfit.ts';
import type { QueryInput } from './request.ts';
import { quoteIdentifier, type TableColumn } from './structure.ts';

/** Arguments longer than this are not repeated: an error is one line of ClickHouse's. */
const ARGUMENT_CHARS_MAX = 1000;

const WHERE_PREFIX = '/where/';

/**
 * The error with the ready call that gives the columns.
 * @param view the one that was asked, such as `bigtrace_where`
 * @param remembered whether the orchestrator has taken it in: then the same query succeeds
 */
export function withRemedy(
  misfit: Misfit,
  columns: readonly TableColumn[],
  { view, input, remembered }: { view: string; input: QueryInput; remembered: boolean },
): BigtraceError {
  const structure = columns.map((column) => {
    const wider = `Nullable(${misfit.facts.wider})`;
    const type = column === misfit.facts.column ? wider : nameOfType(column);
    return `${nameOf(column.name)} ${type}`;
  });
  const call = `${view}_as(structure=${quoted(structure.join(', '))}, ${argumentsOf(view, input)})`;
  const again = remembered ? 'ask again (what the column holds is remembered now), or ' : '';
  const found = `the type was found over a few traces`;
  return new BigtraceError('type_mismatch', `${misfit.what}; ${found}: ${again}use ${call}`, {
    ...(misfit.trace === undefined ? {} : { trace: misfit.trace }),
    cause: misfit,
  });
}

function argumentsOf(view: string, { traces, sql }: QueryInput): string {
  const script = textFromBytes(sql);
  if (view.endsWith('bigtrace_table'))
    return `table=…, on_failure=… (as they are), sql=${argument(quoted(script))}`;
  const [first = ''] = traces.map(textFromBytes);
  const which = first.startsWith(WHERE_PREFIX)
    ? `filter=${argument(quoted(first.slice(WHERE_PREFIX.length)))}`
    : `traces=${argument(`[${traces.map((trace) => quoted(textFromBytes(trace))).join(', ')}]`)}`;
  return `${which}, sql=${argument(quoted(script))}`;
}

function argument(text: string): string {
  return text.length > ARGUMENT_CHARS_MAX ? '… (as it is)' : text;
}

/** The names that the bridge itself gives to types say how they were found. */
function nameOfType({ type }: TableColumn): string {
  return `Nullable(${type.base})`;
}

function nameOf(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}

/** A string literal of ClickHouse. */
function quoted(text: string): string {
  const escaped = text
    .replace(/[\\']/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `'${escaped}'`;
}
