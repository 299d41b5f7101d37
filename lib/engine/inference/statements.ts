/** Splits a script into statements. */
import { sqlTokens, type Token } from '../script/sql-tokens.ts';

export interface Statement {
  /** The bytes of the statement, without the semicolon. */
  sql: Uint8Array;
  /** The table that a CREATE PERFETTO TABLE statement creates; undefined for other statements. */
  makes: CreatedTable | undefined;
}

export interface CreatedTable {
  name: string;
  /** Whether the statement declares the types of its columns. */
  declared: boolean;
  /** The SELECT that fills it. */
  select: Uint8Array;
}

/** @returns undefined when it is not known how SQLite would split the script */
export function statementsOf(sql: Uint8Array): Statement[] | undefined {
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  const end = (to: number): void => {
    const [first] = tokens;
    if (first !== undefined)
      statements.push({ sql: sql.subarray(first.from, to), makes: createdTable(sql, tokens, to) });
    tokens = [];
  };
  for (const token of sqlTokens(sql)) {
    if (token.kind === 'unknown' && !/^[!$@#:?]$/.test(token.text)) return undefined;
    if (token.kind === 'symbol' && token.text === ';') end(token.from);
    else tokens.push(token);
  }
  end(sql.length);
  return statements;
}

/** Parses `CREATE [OR REPLACE] PERFETTO TABLE name [(schema)] AS select`. */
function createdTable(
  sql: Uint8Array,
  tokens: readonly Token[],
  to: number,
): CreatedTable | undefined {
  const words = tokens.slice(0, 6).map(({ kind, text }) => (kind === 'word' ? text : ''));
  const at = words[1] === 'or' && words[2] === 'replace' ? 3 : 1;
  if (words[0] !== 'create' || words[at] !== 'perfetto' || words[at + 1] !== 'table')
    return undefined;
  const name = tokens[at + 2];
  if (name === undefined) return undefined;
  const declared = tokens[at + 3]?.text === '(';
  let depth = 0;
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind === 'symbol') depth += text === '(' ? 1 : text === ')' ? -1 : 0;
    const next = tokens[index + 1];
    if (index > at + 2 && depth === 0 && kind === 'word' && text === 'as' && next !== undefined)
      return { name: name.text, declared, select: sql.subarray(next.from, to) };
  }
  return undefined;
}
