/**
 * Derives the traits of a script from its tokens: whether an instance must be restored before or after it, and whether
 * its results can be reused. In doubt, a script mutates state, reads the query history and is not deterministic.
 */
import { PURE_FUNCTIONS } from './pure-functions.ts';
import { sqlTokens, type Token } from './sql-tokens.ts';

export interface ScriptTraits {
  /** The script may change the results of other scripts: the instance must be restored after it. */
  mutatesState: boolean;
  /**
   * The results may depend on earlier scripts, even on those that mutate no state: the instance must be restored
   * before the script.
   */
  readsQueryHistory: boolean;
  /** The script always returns the same results on the same trace. */
  deterministic: boolean;
}

/**
 * Longer scripts, which nobody writes by hand, are not analyzed: their traits are DOUBTED. The worker analyzes scripts
 * on its main thread, where a long analysis would delay all other requests.
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

/** Returns the traits of two scripts that run one after the other. */
export function joinTraits(one: ScriptTraits, other: ScriptTraits): ScriptTraits {
  return {
    mutatesState: one.mutatesState || other.mutatesState,
    readsQueryHistory: one.readsQueryHistory || other.readsQueryHistory,
    deterministic: one.deterministic && other.deterministic,
  };
}

/** Whether the script may include modules, whose traits its own tokens do not show. */
export function mayInclude(sql: Uint8Array): boolean {
  if (sql.length > BYTES_MAX) return true;
  let tokens = 0;
  for (const { text } of sqlTokens(sql))
    if (/include|import/i.test(text) || ++tokens > TOKENS_MAX) return true;
  return false;
}

/** `sqlstats` lists the queries that an instance ran. Strings are searched too: some functions run them as SQL. */
const READS_QUERY_HISTORY = /sqlstats|changes|last_insert_rowid/i;

// ---- mutated state

const READS = new Set(['select', 'with', 'values']);
/** A statement that begins with WITH may still write. */
const WRITES = new Set(['insert', 'update', 'delete']);
/** Prefixes of names that are more than tables: settings, and operators that keep state. */
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

/** Whether a name before `(` is no function call, or calls a function that only computes. */
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

/** Returns, for each token, the index of the first `)` from there on; -1 if there is none. */
function nextClosing(statement: readonly Token[]): Int32Array {
  const next = new Int32Array(statement.length);
  let close = -1;
  for (let at = statement.length - 1; at >= 0; at--) {
    if (isSymbol(statement[at], ')')) close = at;
    next[at] = close;
  }
  return next;
}

/** Whether `) AS (` or `) AS [NOT] MATERIALIZED` is at `close`, as in a table expression of WITH. */
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

/** Names whose values change from call to call, and functions that run a string as SQL, which is not analyzed. */
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
 * Returns the indexes of each `(` whose brackets contain the string 'unixepoch', but not in nested brackets. With it,
 * a time function converts seconds since the epoch, as traces have them; without it, it may use the present time.
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
