/** Keeps the rows of runs, so that an agent can fetch them in pages. Old runs give way to new ones. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Row, Table } from '../lib/clickhouse/client.ts';
import { BigtraceError } from '../lib/common/errors.ts';

const RUNS_MAX = 20;
const CHARS_MAX = 128 * 2 ** 20;

export interface Page {
  columns: Table['columns'];
  rows: Row[];
  offset: number;
  totalRows: number;
  /** The offset of the next page; undefined after the last one. */
  nextOffset?: number;
}

/** The runs of one client. */
export class Runs {
  readonly #tables = new LRUCache<string, Table>({
    max: RUNS_MAX,
    maxSize: CHARS_MAX,
    sizeCalculation: ({ rows }) => 1 + rows.reduce((sum, row) => sum + charsOf(row), 0),
  });

  /** @returns the ID of the run */
  keep({ columns, rows }: Table): string {
    const id = randomUUID();
    this.#tables.set(id, { columns, rows });
    return id;
  }

  /** @throws invalid_option if the run is unknown */
  page(id: string, offset: number, limit: number): Page {
    const table = this.#tables.get(id);
    if (table === undefined)
      throw new BigtraceError(
        'invalid_option',
        `run ${id} is unknown: the server keeps the last ${RUNS_MAX} runs of a client while it is connected; run it again`,
      );
    const end = offset + limit;
    const totalRows = table.rows.length;
    return {
      columns: table.columns,
      rows: table.rows.slice(offset, end),
      ...{ offset, totalRows },
      ...(end < totalRows ? { nextOffset: end } : {}),
    };
  }
}

function charsOf(row: Row): number {
  return row.reduce((sum, cell) => sum + 16 + String(cell).length, 0);
}
