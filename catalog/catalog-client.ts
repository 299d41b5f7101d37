/**
 * ClickHouse client of the catalog. It reports every error of ClickHouse as `catalog_failed` with ClickHouse's message.
 */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { BigtraceError } from '../lib/common/errors.ts';
import { rowBinaryStrings } from '../lib/common/text/row-binary.ts';
import { type Field, tsvRow } from './tsv.ts';

export interface ClickHouseLogin {
  /** URL of the HTTP interface, such as `http://host:port`. */
  url: string;
  username: string;
  password: string;
}

const REQUEST_MS_MAX = 600_000;

export class CatalogClient {
  readonly #client: ClickHouseClient;
  readonly #url: string;

  constructor(login: ClickHouseLogin) {
    this.#url = login.url;
    this.#client = createClient({
      ...login,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF }, // errors are thrown
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async count(query: string): Promise<number> {
    const answer = await this.#guard(this.#client.query({ query, format: 'JSONCompactEachRow' }));
    const [row] = await answer.json<[string]>();
    return Number(row?.[0]);
  }

  /** Yields batches of rows; each row has `columns` values in the text form of ClickHouse's toString(). */
  async *strings(query: string, columns: number): AsyncGenerator<string[][]> {
    const all = `SELECT COLUMNS('.*') APPLY(x -> ifNull(toString(x), '')) FROM (${query})`;
    const { stream } = await this.#guard(this.#client.exec({ query: `${all} FORMAT RowBinary` }));
    yield* rowBinaryStrings(stream as AsyncIterable<Buffer>, columns);
  }

  /** @param table name in the database bigtrace */
  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<Field[][]> | Iterable<Field[][]>,
  ): Promise<void> {
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for await (const batch of rows) if (batch.length > 0) yield Buffer.concat(batch.map(tsvRow));
    };
    await this.#guard(
      this.#client.insert({
        table: `bigtrace.${table}`,
        values: Readable.from(bytes(), { objectMode: false }),
        format: 'TabSeparated',
        columns: columns as [string, ...string[]],
      }),
    );
  }

  async command(query: string): Promise<void> {
    await this.#guard(
      this.#client.command({ query, clickhouse_settings: { mutations_sync: '1' } }),
    );
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      if (thrown instanceof BigtraceError) throw thrown;
      const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
      throw new BigtraceError('catalog_failed', `ClickHouse at ${this.#url}: ${text}`, {
        cause: thrown,
      });
    }
  }
}
