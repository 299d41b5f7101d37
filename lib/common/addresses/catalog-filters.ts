/**
 * Expressions of users over the table bigtrace.traces, evaluated in one way everywhere: each is handed to
 * ClickHouse as a filter of its own, which its parser takes as one expression. None becomes a part of a statement,
 * so that none can hold another statement, or end a bracket that it did not open.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { literal } from '../text/sql-literal.ts';

export const TRACES = 'bigtrace.traces';

export class CatalogFilters {
  /** Nobody can guess the names: an expression that reads the table itself reads all of it. */
  readonly #tag = randomBytes(8).toString('hex');
  readonly #expressions: string[] = [];
  /** More rows than there are. ClickHouse takes queries for one that differ in aliases only, so each has its own. */
  readonly #rowsMax = 2 ** 40 + randomInt(2 ** 40);

  /** SQL to read FROM: bigtrace.traces, as far as the expression holds. */
  table(expression: string): string {
    const alias = this.#aliasOf(this.#expressions.length);
    this.#expressions.push(expression);
    return `${TRACES} AS ${alias}`;
  }

  /** SQL of a condition on the column `address`: all expressions hold for it. */
  condition(expressions: readonly string[]): string {
    const each = expressions.map((one) => {
      const rowsMax = this.#rowsMax + this.#expressions.length;
      return `address IN (SELECT address FROM ${this.table(one)} LIMIT ${rowsMax})`;
    });
    return each.length === 0 ? '1' : `(${each.join(' AND ')})`;
  }

  /** What ends a statement that has any of the above in it; empty where it has none. */
  get settings(): string {
    if (this.#expressions.length === 0) return '';
    const filters = this.#expressions.map((one, nth) => `'${this.#aliasOf(nth)}': ${literal(one)}`);
    return ` SETTINGS additional_table_filters = {${filters.join(', ')}}`;
  }

  #aliasOf(nth: number): string {
    return `t${this.#tag}_${nth}`;
  }
}
