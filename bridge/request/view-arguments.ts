/**
 * Checks the view calls in the client's statement for arguments that the view does not have. ClickHouse ignores those:
 * without the check, `bigtrace(…, on_failure='lenient')` would be strict. No I/O.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

const ARGUMENTS: Record<string, readonly string[]> = {
  bigtrace: ['traces', 'sql'],
  bigtrace_lenient: ['traces', 'sql'],
  bigtrace_answers: ['traces', 'sql'],
  bigtrace_as: ['structure', 'traces', 'sql'],
  bigtrace_lenient_as: ['structure', 'traces', 'sql'],
  bigtrace_answers_as: ['structure', 'traces', 'sql'],
  bigtrace_where: ['filter', 'sql'],
  bigtrace_where_lenient: ['filter', 'sql'],
  bigtrace_where_as: ['structure', 'filter', 'sql'],
  bigtrace_where_lenient_as: ['structure', 'filter', 'sql'],
  bigtrace_table: ['table', 'sample', 'on_failure', 'sql'],
  bigtrace_table_as: ['structure', 'table', 'on_failure', 'sql'],
  bigtrace_summary: ['traces', 'spec'],
  bigtrace_cluster: ['cluster', 'traces', 'sql'],
  bigtrace_cluster_as: ['structure', 'cluster', 'traces', 'sql'],
  bigtrace_share: ['cluster', 'traces', 'sql'],
  bigtrace_share_as: ['structure', 'cluster', 'traces', 'sql'],
};

interface Call {
  view: string;
  depth: number;
}

/** @throws invalid_option, which names the argument, the view and the arguments that it has */
export function checkArguments(statement: string): void {
  const calls: Call[] = [];
  let depth = 0;
  let [before, last] = ['', ''];
  for (const token of tokens(statement)) {
    if (token === '(') {
      depth++;
      if (last in ARGUMENTS) calls.push({ view: last, depth });
    } else if (token === ')') {
      if (calls.at(-1)?.depth === depth) calls.pop();
      depth--;
    } else if (token === '=' && (before === '(' || before === ',')) {
      const call = calls.at(-1);
      if (call?.depth === depth) check(call.view, last);
    }
    before = last;
    last = token;
  }
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;

/**
 * Yields the tokens of a statement as ClickHouse does, without comments and blanks. A quoted name comes without its
 * quotes, a string literal as one apostrophe, in quotes or between two `$tag$`. Every character is read once, because one literal may be a script of
 * several megabytes.
 */
function* tokens(statement: string): Generator<string> {
  for (let at = 0; at < statement.length; ) {
    const char = statement[at] ?? '';
    const end = endOfComment(statement, at);
    WORD.lastIndex = at;
    const word = WORD.exec(statement)?.[0];
    const heredoc = char === '$' ? endOfHeredoc(statement, at) : undefined;
    if (end !== undefined) at = end;
    else if (heredoc !== undefined) {
      yield "'";
      at = heredoc;
    } else if (word !== undefined) {
      yield word;
      at += word.length;
    } else if (char === "'" || char === '`' || char === '"') {
      const close = closingQuote(statement, at);
      yield char === "'" ? char : statement.slice(at + 1, close);
      at = close + 1;
    } else {
      if (!/[\s#]/.test(char)) yield char;
      at++;
    }
  }
}

/** Offset of the end of the comment that begins at `at`; undefined if none begins there. */
function endOfComment(statement: string, at: number): number | undefined {
  const isLine = /^(--|#[ !])/.test(statement.slice(at, at + 2));
  if (!isLine && !statement.startsWith('/*', at)) return undefined;
  const end = statement.indexOf(isLine ? '\n' : '*/', at + 2);
  if (end < 0) return statement.length;
  return isLine ? end : end + 2;
}

/**
 * Offset of the end of the literal `$tag$…$tag$` that begins at `at`; undefined if none begins there. A literal without
 * an end was cut, with the statement.
 */
function endOfHeredoc(statement: string, at: number): number | undefined {
  const tagEnd = statement.indexOf('$', at + 1) + 1;
  if (tagEnd === 0) return undefined;
  const tag = statement.slice(at, tagEnd);
  const close = statement.indexOf(tag, tagEnd);
  return close < 0 ? statement.length : close + tag.length;
}

/** Offset of the closing quote. A backslash escapes the next character, and a doubled quote stands for one. */
function closingQuote(statement: string, open: number): number {
  const quote = statement[open];
  for (let at = open + 1; at < statement.length; at++) {
    const char = statement[at];
    if (char === '\\' || (char === quote && statement[at + 1] === quote)) at++;
    else if (char === quote) return at;
  }
  return statement.length;
}

function check(view: string, argument: string): void {
  const names = ARGUMENTS[view] ?? [];
  if (names.includes(argument)) return;
  const other = Object.entries(ARGUMENTS).find(
    ([name, its]) =>
      name.startsWith(view) && its.includes(argument) && names.every((a) => its.includes(a)),
  );
  const instead =
    argument === 'on_failure'
      ? `; use bigtrace_lenient or bigtrace_where_lenient to continue when traces fail`
      : other === undefined
        ? ''
        : `; ${other[0]} has it`;
  throw new BigtraceError(
    'invalid_option',
    `${view} has no argument ${argument}: it has ${names.join(', ')}${instead}`,
  );
}
