/**
 * ClickHouse ignores an argument that a view does not have: `bigtrace(…, on_failure='lenient')` would be strict
 * without a word. The calls in the asker's statement are looked through for such arguments. Pure.
 */
import { BigtraceError } from '../common/errors.ts';

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
};

/** Comments, literals, names in quotes, words, and any other character by itself, as ClickHouse cuts them. */
const TOKEN =
  /--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|`((?:[^`\\]|\\[\s\S]|``)*)(?:`|$)|"((?:[^"\\]|\\[\s\S]|"")*)(?:"|$)|([A-Za-z_][A-Za-z0-9_]*)|\s+|[\s\S]/y;

interface Call {
  view: string;
  depth: number;
}

/** @throws invalid_option, naming the argument, the view and what it has */
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

/** Without comments and blanks; names without their quotes, a literal as one apostrophe. */
function* tokens(statement: string): Generator<string> {
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(statement); match !== null; match = TOKEN.exec(statement)) {
    const [text, ticked, quoted, word] = match;
    const name = word ?? ticked ?? quoted;
    if (name !== undefined) yield name;
    else if (text.startsWith("'")) yield "'";
    else if (text.length === 1 && !/[\s#]/.test(text)) yield text;
  }
}

function check(view: string, argument: string): void {
  const known = ARGUMENTS[view] ?? [];
  if (known.includes(argument)) return;
  const other = Object.entries(ARGUMENTS).find(
    ([name, its]) =>
      name.startsWith(view) && its.includes(argument) && known.every((a) => its.includes(a)),
  );
  const instead =
    argument === 'on_failure'
      ? `; bigtrace_lenient and bigtrace_where_lenient go on when traces fail`
      : other === undefined
        ? ''
        : `; ${other[0]} has it`;
  throw new BigtraceError(
    'invalid_option',
    `${view} has no argument ${argument}: it has ${known.join(', ')}${instead}`,
  );
}
