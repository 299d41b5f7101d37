/** The catalog's tables in ClickHouse; all statements of `bigtrace index` are here. */
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { textFromBytes } from '../common/byte-text.ts';
import { BigtraceError, ERROR_CODES } from '../common/errors.ts';
import { rowBinaryStrings } from '../common/row-binary.ts';
import type { ListedTrace } from '../proto/messages.ts';
import { type TraceMetadata, TYPED_COLUMNS } from './metadata.ts';
import { tracesViewSql, type UserColumn } from './traces-view.ts';
import { type Field, quoted, tsvRow } from './tsv.ts';

export interface ClickHouseLogin {
  /** Of the HTTP interface: `http://host:port`. */
  url: string;
  username: string;
  password: string;
}

/** A trace as it was listed, and what its reading gave. */
export interface IndexedTrace {
  address: string;
  size: string;
  generation: string;
  /** As ClickHouse wrote it; empty where the store does not know. */
  modified: string;
  outcome: TraceMetadata | BigtraceError;
  extra: ReadonlyMap<string, string>;
}

export type ToRead = Pick<IndexedTrace, 'address' | 'size' | 'generation' | 'modified'>;

const REQUEST_MS_MAX = 600_000;
/** Rows of one insert of what was listed. */
const LISTED_ROWS = 10_000;
/** Traces to read, of one question to ClickHouse. */
const PAGE_ROWS = 5_000;

/** Failures that say nothing of the trace: it is read again by the next run. */
const PASSING = Object.entries(ERROR_CODES)
  .filter(([, { retryable, kind }]) => retryable || kind === 'limit')
  .map(([code]) => quoted(code))
  .join(', ');

const CATALOG_COLUMNS = [
  ...['address', 'store', 'size', 'generation', 'modified', 'indexed_at', 'indexed_with'],
  ...['error_code', 'error', 'duration', 'start_time', 'metadata', 'extra'],
  ...TYPED_COLUMNS,
] as const;

export class CatalogStore {
  readonly #client: ClickHouseClient;
  readonly #url: string;

  constructor(login: ClickHouseLogin) {
    this.#url = login.url;
    this.#client = createClient({
      ...login,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF }, // what fails is thrown
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Adds what a store lists, part by part: a store may take longer than ClickHouse waits for a row. */
  async addListing(run: string, batches: AsyncIterable<ListedTrace[]>): Promise<void> {
    const columns = ['run', 'address', 'size', 'generation', 'modified'];
    let rows: Field[][] = [];
    const insert = async (): Promise<void> => {
      const part = rows;
      rows = [];
      await this.#insert('trace_listing', columns, async function* () {
        yield part;
      });
    };
    for await (const traces of batches) {
      for (const { address, size, generation, modifiedMs } of traces) {
        const modified = modifiedMs === 0 ? null : modifiedMs / 1000;
        rows.push([run, textFromBytes(address), size, generation, modified]);
      }
      if (rows.length >= LISTED_ROWS) await insert();
    }
    if (rows.length > 0) await insert();
  }

  /** How many traces the run listed, and how many of them have to be read. */
  async counts(run: string, indexedWith: string): Promise<{ listed: number; toRead: number }> {
    const [listed, toRead] = await Promise.all([
      this.#count(
        `SELECT uniqExact(address) FROM bigtrace.trace_listing WHERE run = ${quoted(run)}`,
      ),
      this.#count(`SELECT count() FROM (${toReadSql(run, indexedWith)})`),
    ]);
    return { listed, toRead };
  }

  /**
   * The listed traces that are new, changed, or were asked something else, in the order of their addresses.
   * A page at a time: ClickHouse does not wait with an answer for as long as traces take to be read.
   */
  async *toRead(run: string, indexedWith: string): AsyncGenerator<ToRead[]> {
    let last = '';
    for (let rows = PAGE_ROWS; rows === PAGE_ROWS; ) {
      rows = 0;
      const page = `${toReadSql(run, indexedWith, last)} LIMIT ${PAGE_ROWS}`;
      for await (const batch of this.#strings(page, 4)) {
        yield batch.map(([address = '', size = '', generation = '', modified = '']) => ({
          address,
          size,
          generation,
          modified,
        }));
        rows += batch.length;
        last = batch.at(-1)?.[0] ?? last;
      }
    }
  }

  async add(traces: readonly IndexedTrace[], indexedWith: string): Promise<void> {
    const now = Date.now() / 1000;
    await this.#insert('trace_catalog', CATALOG_COLUMNS, async function* () {
      yield traces.map((trace) => catalogRow(trace, indexedWith, now));
    });
  }

  /** Addresses in the catalog that begin with `prefix` and that the run did not list, in batches. */
  async *unlisted(run: string, prefix: string): AsyncGenerator<string[]> {
    const rows = this.#strings(
      `SELECT address FROM bigtrace.trace_catalog FINAL
       WHERE startsWith(address, ${quoted(prefix)}) AND vanished_at IS NULL
         AND address NOT IN (SELECT address FROM bigtrace.trace_listing WHERE run = ${quoted(run)})`,
      1,
    );
    for await (const batch of rows) yield batch.map(([address = '']) => address);
  }

  async markVanished(addresses: readonly string[]): Promise<void> {
    const list = addresses.map(quoted).join(', ');
    await this.#command(
      `INSERT INTO bigtrace.trace_catalog
       SELECT * REPLACE (now64(3) AS indexed_at, now64(3) AS vanished_at)
       FROM bigtrace.trace_catalog FINAL WHERE address IN (${list})`,
    );
  }

  async dropListing(run: string): Promise<void> {
    await this.#command(`ALTER TABLE bigtrace.trace_listing DROP PARTITION ${quoted(run)}`);
  }

  async addLabels(
    batches: AsyncIterable<[address: string, labels: Map<string, string>][]>,
  ): Promise<void> {
    const now = Date.now() / 1000;
    await this.#insert('trace_labels', ['address', 'labels', 'labelled_at'], async function* () {
      for await (const batch of batches) yield batch.map((row) => [...row, now]);
    });
  }

  /** Adds columns of the users' own to bigtrace.traces. */
  async addColumns(columns: readonly UserColumn[]): Promise<void> {
    if (columns.length > 0)
      await this.#insert('trace_columns', ['name', 'type', 'source'], async function* () {
        yield columns.map(({ name, type, source }) => [name, type, source]);
      });
    const known: UserColumn[] = [];
    for await (const rows of this.#strings(
      'SELECT name, type, source FROM bigtrace.trace_columns FINAL ORDER BY name',
      3,
    ))
      for (const [name = '', type = '', source = ''] of rows)
        known.push({
          name,
          type: type as UserColumn['type'],
          source: source as UserColumn['source'],
        });
    await this.#command(tracesViewSql(known));
  }

  async #count(query: string): Promise<number> {
    const answer = await this.#guard(this.#client.query({ query, format: 'JSONCompactEachRow' }));
    const [row] = await answer.json<[string]>();
    return Number(row?.[0]);
  }

  /** `columns` values of each row, as ClickHouse's toString() shows them. */
  async *#strings(query: string, columns: number): AsyncGenerator<string[][]> {
    const all = `SELECT COLUMNS('.*') APPLY(x -> ifNull(toString(x), '')) FROM (${query})`;
    const { stream } = await this.#guard(this.#client.exec({ query: `${all} FORMAT RowBinary` }));
    yield* rowBinaryStrings(stream as AsyncIterable<Buffer>, columns);
  }

  async #insert(
    table: string,
    columns: readonly string[],
    rows: () => AsyncIterable<Field[][]>,
  ): Promise<void> {
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for await (const batch of rows())
        if (batch.length > 0) yield Buffer.concat(batch.map(tsvRow));
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

  async #command(query: string): Promise<void> {
    await this.#guard(
      this.#client.command({ query, clickhouse_settings: { mutations_sync: '1' } }),
    );
  }

  /** ClickHouse's own words, and whose they are. */
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

/** @param after only addresses behind this one */
function toReadSql(run: string, indexedWith: string, after = ''): string {
  const behind = `address > ${quoted(after)}`;
  return `SELECT address, size, generation, modified FROM bigtrace.trace_listing
    WHERE run = ${quoted(run)} AND ${behind} AND (address, generation) NOT IN (
      SELECT address, generation FROM bigtrace.trace_catalog FINAL
      WHERE ${behind} AND vanished_at IS NULL AND startsWith(indexed_with, ${quoted(indexedWith)})
        AND error_code NOT IN (${PASSING}))
    ORDER BY address LIMIT 1 BY address`;
}

function catalogRow(trace: IndexedTrace, indexedWith: string, now: number): Field[] {
  const { address, outcome, extra } = trace;
  const error = outcome instanceof BigtraceError ? outcome : undefined;
  const metadata = outcome instanceof BigtraceError ? undefined : outcome;
  const startTime = metadata?.startTime ?? null;
  const own: Record<string, Field> = {
    address,
    store: address.split('/')[1] ?? '',
    size: trace.size,
    generation: trace.generation,
    modified: trace.modified === '' ? null : trace.modified,
    indexed_at: now,
    indexed_with: indexedWith,
    error_code: error?.code ?? '',
    error: error?.detail ?? '',
    duration: metadata?.duration ?? null,
    start_time: startTime === null ? null : nanoseconds(startTime),
    metadata: metadata?.all ?? new Map(),
    extra,
    ...metadata?.typed,
    format: metadata?.typed.format ?? '', // an empty trace has none, and the column is not Nullable
  };
  return CATALOG_COLUMNS.map((name) => own[name] ?? null);
}

/** DateTime64(9) as text: seconds and nine digits. */
function nanoseconds(value: bigint): string {
  const digits = value.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
