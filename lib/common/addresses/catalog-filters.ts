/**
 * Evaluates users' expressions over bigtrace.traces. Each is passed to ClickHouse in the setting
 * additional_table_filters, whose parser accepts one expression only. An expression is never part of a statement, so it
 * cannot contain another statement or close a bracket that it did not open.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { literal } from '../text/sql-literal.ts';
import { checkExpressionSize, type ExpressionSize, expressionSize } from './expression-size.ts';

export const TRACES = 'bigtrace.traces';

/** Begins the message if ClickHouse rejects an expression. */
export const FILTER_SUBJECT = `filter over ${TRACES}`;

export class CatalogFilters {
  /** Random, so that an expression cannot use the aliases: if it reads bigtrace.traces itself, it reads all rows. */
  readonly #tag = randomBytes(8).toString('hex');
  readonly #expressions: string[] = [];
  readonly #size: ExpressionSize = { parts: 0, listed: 0 };
  /** A LIMIT above any row count. Each subquery has another, or ClickHouse would merge those that differ in aliases. */
  readonly #rowsMax = 2 ** 40 + randomInt(2 ** 40);

  /**
   * Returns SQL for a FROM clause: the rows of bigtrace.traces for which the expression holds.
   * @throws limit_exceeded if the expressions are too large together
   */
  table(expression: string): string {
    const { parts, listed } = expressionSize(expression);
    this.#size.parts += parts;
    this.#size.listed += listed;
    checkExpressionSize(this.#size);
    const alias = this.#aliasOf(this.#expressions.length);
    this.#expressions.push(expression);
    return `${TRACES} AS ${alias}`;
  }

  /** Returns SQL of a condition on the column `address`: all expressions hold for that trace. */
  condition(expressions: readonly string[]): string {
    const each = expressions.map((one) => {
      const rowsMax = this.#rowsMax + this.#expressions.length;
      return `address IN (SELECT address FROM ${this.table(one)} LIMIT ${rowsMax})`;
    });
    return each.length === 0 ? '1' : `(${each.join(' AND ')})`;
  }

  /** The SETTINGS clause that must end a statement with any of the SQL above; empty if there is none. */
  get settings(): string {
    if (this.#expressions.length === 0) return '';
    const filters = this.#expressions.map((one, nth) => `'${this.#aliasOf(nth)}': ${literal(one)}`);
    return ` SETTINGS additional_table_filters = {${filters.join(', ')}}`;
  }

  #aliasOf(nth: number): string {
    return `t${this.#tag}_${nth}`;
  }
}
