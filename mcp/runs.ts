/** Keeps the rows of runs, so that an agent can fetch them in pages. Old runs give way to new ones. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Row, Table } from '../lib/clickhouse/client.ts';
import { BigtraceError } from '../lib/common/errors.ts';

/** Of one client. */
const RUNS_MAX = 20;
/** Of all clients of a server together. A result of RESULT_BYTES_MAX bytes always fits. */
const CHARS_MAX = 512 * 2 ** 20;

/** The rows of the runs of all clients of a server, by ID of the run. */
export type KeptTables = LRUCache<string, Table>;

export function keptTables(charsMax = CHARS_MAX): KeptTables {
  return new LRUCache<string, Table>({
    maxSize: charsMax,
    sizeCalculation: ({ rows }) => 1 + rows.reduce((sum, row) => sum + charsOf(row), 0),
  });
}

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
  readonly #tables: KeptTables;
  readonly #ids: string[] = [];

  constructor(tables: KeptTables = keptTables()) {
    this.#tables = tables;
  }

  /** @returns the ID of the run */
  keep({ columns, rows }: Table): string {
    const id = randomUUID();
    this.#tables.set(id, { columns, rows });
    if (this.#ids.push(id) > RUNS_MAX) this.#tables.delete(this.#ids.shift() ?? '');
    return id;
  }

  /** Forgets all runs of the client. */
  clear(): void {
    for (const id of this.#ids.splice(0)) this.#tables.delete(id);
  }

  /** @throws invalid_option if the run is unknown */
  page(id: string, offset: number, limit: number): Page {
    const table = this.#ids.includes(id) ? this.#tables.get(id) : undefined;
    if (table === undefined)
      throw new BigtraceError(
        'invalid_option',
        `run ${id} is unknown: the server keeps the last ${RUNS_MAX} runs of a client while it is connected, fewer if the rows of all clients are many; run it again`,
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
