/**
 * What can be told of a script by its words: whether it can be run on a loaded instance just so. All
 * doubt goes to the safe side: marks are left, history is sensed, answers differ.
 */
import { PURE_FUNCTIONS } from './pure-functions.ts';
import { sqlTokens, type Token } from './sql-tokens.ts';

export interface ScriptTraits {
  /** It may change what other scripts answer: the instance must be restored after it. */
  mutatesState: boolean;
  /**
   * Its answer may depend on what was asked before, even by scripts that leave no marks: the instance
   * must be restored before it.
   */
  readsQueryHistory: boolean;
  /** The same trace gives the same answer, always. */
  deterministic: boolean;
}

/**
 * Nobody writes longer ones by hand. They are doubted unread: the worker reads scripts on its main thread, and while it
 * reads it answers nobody.
 */
const BYTES_MAX = 1 << 20;
const TOKENS_MAX = 100_000;

const DOUBTED: ScriptTraits = { mutatesState: true, readsQueryHistory: true, deterministic: false };

export function scriptTraits(sql: Uint8Array): ScriptTraits {
  if (sql.length > BYTES_MAX) return DOUBTED;
  const tokens: Token[] = [];
  for (const token of sqlTokens(sql)) if (tokens.push(token) > TOKENS_MAX) return DOUBTED;
  return {
    mutatesState: statements(tokens).some((statement) => !isPure(statement)),
    readsQueryHistory: tokens.some(({ text }) => READS_QUERY_HISTORY.test(text)),
    deterministic: isDeterministic(tokens),
  };
}

/** Of two scripts, one after the other. */
export function joinTraits(one: ScriptTraits, other: ScriptTraits): ScriptTraits {
  return {
    mutatesState: one.mutatesState || other.mutatesState,
    readsQueryHistory: one.readsQueryHistory || other.readsQueryHistory,
    deterministic: one.deterministic && other.deterministic,
  };
}

/** Whether it may take in modules: what these do is not in its own words. */
export function mayInclude(sql: Uint8Array): boolean {
  if (sql.length > BYTES_MAX) return true;
  let tokens = 0;
  for (const { text } of sqlTokens(sql))
    if (/include|import/i.test(text) || ++tokens > TOKENS_MAX) return true;
  return false;
}

/** sqlstats lists the queries an instance was asked. In strings too: they may be SQL to some functions. */
const READS_QUERY_HISTORY = /sqlstats|changes|last_insert_rowid/i;

// ---- marks

const READS = new Set(['select', 'with', 'values']);
/** After WITH, a statement may still write. */
const WRITES = new Set(['insert', 'update', 'delete']);
/** Names that stand for more than a table: settings, and operators that keep state. */
const DOUBTFUL_NAME = /^(pragma_|__intrinsic_)/;

function statements(tokens: readonly Token[]): Token[][] {
  const all: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'symbol' && token.text === ';') all.push([]);
    else all.at(-1)?.push(token);
  }
  return all.filter((statement) => statement.length > 0);
}

function isPure(statement: readonly Token[]): boolean {
  const [first] = statement;
  if (first?.kind !== 'word' || !READS.has(first.text)) return false;
  const closing = nextClosing(statement);
  return statement.every((token, at) => {
    if (token.kind === 'unknown') return false;
    if (token.kind === 'word' && WRITES.has(token.text)) return false;
    if (token.kind === 'symbol' || token.kind === 'number') return true;
    const name = token.text.toLowerCase();
    if (token.kind !== 'string' && DOUBTFUL_NAME.test(name)) return false;
    const next = statement[at + 1];
    if (token.text === 'replace' && !isSymbol(next, '(')) return false;
    return !isSymbol(next, '(') || isHarmlessBeforeBracket(statement, at, name, closing);
  });
}

/** Whether a name before `(` calls nothing, or a function that only computes. */
function isHarmlessBeforeBracket(
  statement: readonly Token[],
  at: number,
  name: string,
  closing: Int32Array,
): boolean {
  if (PURE_FUNCTIONS.has(name)) return true;
  if (statement[at]?.kind === 'word' && KEYWORDS_BEFORE_BRACKET.has(name)) return true;
  return isTableDefinition(statement, closing[at] ?? -1);
}

/** For each token the place of the first `)` from there on; -1 where there is none. */
function nextClosing(statement: readonly Token[]): Int32Array {
  const next = new Int32Array(statement.length);
  let close = -1;
  for (let at = statement.length - 1; at >= 0; at--) {
    if (isSymbol(statement[at], ')')) close = at;
    next[at] = close;
  }
  return next;
}

/** `name(columns) AS (`, `name(columns) AS [NOT] MATERIALIZED (`: a table expression of WITH. */
function isTableDefinition(statement: readonly Token[], close: number): boolean {
  const as = statement[close + 1];
  const then = statement[close + 2];
  return (
    close > 0 &&
    as?.kind === 'word' &&
    as.text === 'as' &&
    (isSymbol(then, '(') ||
      (then?.kind === 'word' && (then.text === 'not' || then.text === 'materialized')))
  );
}

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

const KEYWORDS_BEFORE_BRACKET = new Set(
  (
    'all and as between by case cast distinct else escape except exists filter from having ' +
    'in intersect is isnull join like limit match materialized not notnull offset on or over ' +
    'partition regexp select then union using values when where glob with'
  ).split(' '),
);

// ---- determinism

/** They differ each time, or are SQL made of strings, which is not looked into. */
const CHANGING =
  /^(random|randomblob|current_date|current_time|current_timestamp|create_function|create_view_function|experimental_memoize|run_metric|import)$/;
const TIME_FUNCTION = /^(date|time|datetime|julianday|unixepoch|strftime|timediff)$/;

function isDeterministic(tokens: readonly Token[]): boolean {
  const timed = bracketsOfGivenTime(tokens);
  return tokens.every((token, at) => {
    if (token.kind === 'unknown') return false;
    const name = token.text.toLowerCase();
    if (CHANGING.test(name) || READS_QUERY_HISTORY.test(name)) return false;
    if (token.kind === 'number' || token.kind === 'symbol') return true;
    return !TIME_FUNCTION.test(name) || !isSymbol(tokens[at + 1], '(') || timed.has(at + 1);
  });
}

/**
 * The places of `(` in whose brackets, not in deeper ones, the string 'unixepoch' stands: time functions mean
 * the present unless told otherwise, and seconds since the epoch are what traces have.
 */
function bracketsOfGivenTime(tokens: readonly Token[]): Set<number> {
  const timed = new Set<number>();
  const open: number[] = [];
  for (const [at, token] of tokens.entries()) {
    const innermost = open.at(-1);
    if (isSymbol(token, '(')) open.push(at);
    else if (isSymbol(token, ')')) open.pop();
    else if (
      innermost !== undefined &&
      token.kind === 'string' &&
      token.text.toLowerCase() === 'unixepoch'
    )
      timed.add(innermost);
  }
  return timed;
}
