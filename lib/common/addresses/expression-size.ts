/**
 * Bounds the size of an expression over the catalog. ClickHouse analyzes an expression before it runs it, in a time that
 * grows with the number of its parts, and cannot be cancelled meanwhile. Its own bound, max_ast_elements, does
 * not apply to additional_table_filters.
 */
import { BigtraceError } from '../errors.ts';

/** Maximum number of words, operators and constants outside of lists. */
export const PARTS_MAX = 10_000;
/** Maximum number of constants in lists, which cost ClickHouse little. The traces of a query may be such a list. */
export const LISTED_MAX = 250_000;

export interface ExpressionSize {
  parts: number;
  /** Constants in lists: behind IN, or in square brackets. */
  listed: number;
}

const SPACE = /\s+|--[^\n]*/y;
const NUMBER = /-?\d[\w.]*/y;
const PART = /[A-Za-z_]\w*|[()[\]{}.;:+\-*/%=<>!?|&^~@,]/y;

/**
 * Counts the lexical elements of an expression, in linear time; stops beyond a bound. What ClickHouse might read in
 * another way (a heredoc, typographic quotes, a comment or string without end) is not interpreted: each of the remaining
 * characters counts as a part, so that nothing can hide there.
 */
export function expressionSize(expression: string): ExpressionSize {
  const counter = new Counter(expression);
  let at = 0;
  while (at < expression.length && counter.isWithin) {
    const end = counter.element(at);
    if (end === undefined) counter.parts += expression.length - at;
    at = end ?? expression.length;
  }
  if (at >= expression.length) counter.endList();
  return { parts: counter.parts, listed: counter.listed + counter.open };
}

class Counter {
  readonly #text: string;
  parts = 0;
  listed = 0;
  /** Constants of the list that is open, if it consists of constants so far. */
  #list: number | undefined;
  #previous = '';

  constructor(text: string) {
    this.#text = text;
  }

  /** Constants of the list that is open. */
  get open(): number {
    return this.#list ?? 0;
  }

  get isWithin(): boolean {
    return this.parts <= PARTS_MAX && this.listed + this.open <= LISTED_MAX;
  }

  /** Counts the constants of an unfinished list as parts. */
  endList(): void {
    this.parts += this.#list ?? 0;
    this.#list = undefined;
  }

  /** Counts the element at this place. @returns its end, or undefined if there is none */
  element(at: number): number | undefined {
    const text = this.#text;
    const first = text[at];
    if (first === '/' && text[at + 1] === '*') return endOfComment(text, at);
    const space = endOf(SPACE, text, at);
    if (space !== undefined) return space;
    if (first === "'") return this.#constant(endOfQuoted(text, at));
    if (first === ',' && this.#list !== undefined) return at + 1;
    const number = endOf(NUMBER, text, at);
    if (number !== undefined && (this.#list !== undefined || first !== '-'))
      return this.#constant(number);
    const isQuoted = first === '"' || first === '`';
    const end = isQuoted ? endOfQuoted(text, at) : endOf(PART, text, at);
    if (end !== undefined) this.#part(text.slice(at, Math.min(end, at + 8)));
    return end;
  }

  #constant(end: number | undefined): number | undefined {
    if (end === undefined) return undefined;
    if (this.#list === undefined) this.parts += 1;
    else this.#list += 1;
    this.#previous = '';
    return end;
  }

  #part(text: string): void {
    if ((text === ')' || text === ']') && this.#list !== undefined) {
      this.listed += this.#list;
      this.#list = undefined;
    }
    this.endList();
    if (text === '[' || (text === '(' && this.#previous === 'in')) this.#list = 0;
    this.#previous = text.toLowerCase();
    this.parts += 1;
  }
}

/** Returns the end of what the sticky pattern matches at this place. */
function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function endOfComment(text: string, at: number): number | undefined {
  const end = text.indexOf('*/', at + 2);
  return end < 0 ? undefined : end + 2;
}

/** Returns the end of the string or name in quotes. A backslash escapes; a doubled quote is one of the characters. */
function endOfQuoted(text: string, at: number): number | undefined {
  const quote = text[at];
  for (let next = at + 1; next < text.length; next++) {
    if (text[next] === '\\') next += 1;
    else if (text[next] === quote) {
      if (text[next + 1] !== quote) return next + 1;
      next += 1;
    }
  }
  return undefined;
}

/** @param size sum of the sizes of all expressions in a statement @throws limit_exceeded */
export function checkExpressionSize({ parts, listed }: ExpressionSize): void {
  if (parts > PARTS_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `the expression over the catalog has more than ${PARTS_MAX} words, operators and constants: ` +
        'compare a column with a list, such as address IN (…), instead of joining comparisons with OR',
    );
  if (listed > LISTED_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `the lists in the expression over the catalog have more than ${LISTED_MAX} constants`,
    );
}
