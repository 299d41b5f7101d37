/** Manages the columns that users add to bigtrace.traces, and the view that shows them. */
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { columnType, type ValueKind } from './column-type.ts';
import {
  type ColumnSource,
  checkColumnName,
  tracesViewSql,
  type UserColumn,
} from './traces-view.ts';

/** A column of one source with the kinds of its values. */
export interface FoundColumn {
  name: string;
  source: ColumnSource;
  kinds: ReadonlySet<ValueKind>;
}

export class UserColumns {
  readonly #client: ClickHouse;

  constructor(client: ClickHouse) {
    this.#client = client;
  }

  /**
   * Adds columns, or widens existing ones to hold values of these kinds. Call it before the values are written.
   * @throws invalid_option if a name is taken
   */
  async add(columns: readonly FoundColumn[]): Promise<void> {
    const existing = await this.#existing();
    for (const { name, source } of columns) {
      checkColumnName(name);
      const other = existing.find((column) => column.name === name && column.source !== source);
      if (other !== undefined) throw takenBy(other);
    }
    const rows = columns.flatMap(({ name, source, kinds }) =>
      [...kinds].map((kind) => [name, source, kind]),
    );
    if (rows.length > 0)
      await this.#client.insert('bigtrace.trace_column_types', ['name', 'source', 'kind'], [rows]);
    await this.#showAll();
  }

  /** Deletes a column with all of its values. @throws invalid_option if there is no such column */
  async drop(name: string): Promise<void> {
    const column = (await this.#existing()).find((one) => one.name === name);
    if (column === undefined)
      throw new BigtraceError(
        'invalid_option',
        `bigtrace.traces has no column ${name} from a manifest or --extra-sql`,
      );
    const quotedName = literal(name);
    // Delete the values first: a run that was killed here can be repeated, because the column is still known.
    await this.#client.command(
      `DELETE FROM bigtrace.trace_label_values WHERE name = ${quotedName}`,
    );
    await this.#client.command(
      `ALTER TABLE bigtrace.trace_extra UPDATE
         extra = mapFilter((key, value) -> key != ${quotedName}, extra), complete = false
       WHERE mapContains(extra, ${quotedName})`,
    );
    await this.#client.command(
      `DELETE FROM bigtrace.trace_column_types WHERE name = ${quotedName}`,
    );
    await this.#showAll();
  }

  /**
   * Recreates the view until it contains all columns. Reading the columns again after each write ensures that, with
   * concurrent runs, the last written view is complete.
   */
  async #showAll(): Promise<void> {
    let columns = await this.#existing();
    const view = await this.#view();
    for (;;) {
      checkNames(columns);
      await this.#client.command(tracesViewSql(columns, view));
      const now = await this.#existing();
      if (JSON.stringify(now) === JSON.stringify(columns)) return;
      columns = now;
    }
  }

  /** Returns what is kept of the view: its definer, which `bigtrace clickhouse install --definer` chose, and its comment. */
  async #view(): Promise<{ definer: string; comment: string }> {
    const statement = `SELECT extract(create_table_query, 'DEFINER = (.+?) SQL SECURITY'), comment
      FROM system.tables WHERE database = 'bigtrace' AND name = 'traces'`;
    let view: string[] = [];
    for await (const rows of this.#client.strings(statement, 2)) view = rows[0] ?? view;
    const [definer, comment = ''] = view;
    return { definer: definer || 'bigtrace_definer', comment };
  }

  async #existing(): Promise<UserColumn[]> {
    const columns: UserColumn[] = [];
    for await (const rows of this.#client.strings(
      `SELECT name, source, arrayStringConcat(arraySort(groupUniqArray(kind)), ',')
       FROM bigtrace.trace_column_types GROUP BY name, source ORDER BY name, source`,
      3,
    ))
      for (const [name = '', source = '', kinds = ''] of rows)
        columns.push({
          name,
          type: columnType(new Set(kinds.split(',') as ValueKind[])),
          source: source as ColumnSource,
        });
    return columns;
  }
}

/** Rejects duplicate names: concurrent runs may have added a column once by a manifest and once by extra SQL. */
function checkNames(columns: readonly UserColumn[]): void {
  for (const [at, column] of columns.entries())
    if (columns[at + 1]?.name === column.name) throw takenBy(column);
}

function takenBy({ name, source }: UserColumn): BigtraceError {
  const by = source === 'labels' ? 'a manifest' : 'extra SQL';
  return new BigtraceError(
    'invalid_option',
    `column ${name} already comes from ${by}; rename it, or delete the existing one with \`bigtrace index --drop-column ${name}\``,
  );
}
