/** Reads and writes the catalog's tables for `bigtrace index`. */

import { asTexts, type ClickHouse } from '../lib/clickhouse/client.ts';
import type { Field } from '../lib/clickhouse/tsv.ts';
import { BigtraceError, ERROR_CODES } from '../lib/common/errors.ts';
import { textFromBytes } from '../lib/common/text/byte-text.ts';
import { literal } from '../lib/common/text/sql-literal.ts';
import type { ListedTrace } from '../lib/proto/messages.ts';
import { UserColumns } from './columns/user-columns.ts';
import type { ManifestPart } from './manifest/json-manifest.ts';
import { type TraceMetadata, TYPED_COLUMNS } from './metadata.ts';

/** A listed trace with the result of reading it. */
export interface IndexedTrace {
  address: string;
  size: string;
  generation: string;
  /** Modification time as ClickHouse formats it; empty if the store does not report one. */
  modified: string;
  outcome: TraceMetadata | BigtraceError;
  /** Values of the extra SQL; undefined if it was not run. */
  extra: ReadonlyMap<string, string> | undefined;
}

export type TracesToRead = Pick<IndexedTrace, 'address' | 'size' | 'generation' | 'modified'>;

/** Identifies what runs on each trace, by digests of the metadata script and of the extra SQL. */
export interface ScriptDigests {
  metadata: string;
  extra: string | undefined;
}

/** Rows of one insert into the listing. */
const LISTED_ROWS = 10_000;
/** Traces of one page of toRead(). */
const PAGE_ROWS = 5_000;
const DROP_MS_MAX = 30_000;

/** Error codes that say nothing about the trace itself. The next run reads such a trace again. */
const TRANSIENT_CODES = Object.entries(ERROR_CODES)
  .filter(([, { retryable, kind }]) => retryable || kind === 'limit')
  .map(([code]) => literal(code))
  .join(', ');

const CATALOG_COLUMNS = [
  ...['address', 'store', 'size', 'generation', 'modified', 'indexed_at', 'indexed_with'],
  ...['error_code', 'error', 'duration', 'start_time', 'metadata'],
  ...['verdict', 'error_stats', 'row_counts', 'warnings'],
  ...TYPED_COLUMNS,
] as const;

export class CatalogStore {
  readonly #client: ClickHouse;
  readonly columns: UserColumns;
  /**
   * ClickHouse's clock minus the local clock. Times are stored by ClickHouse's clock, because runs on several machines
   * compare them.
   */
  #clockAheadMs = 0;

  constructor(client: ClickHouse) {
    this.#client = client;
    this.columns = new UserColumns(this.#client);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Returns ClickHouse's time in milliseconds since the epoch, and synchronizes all later times of this store with it.
   */
  async startMs(): Promise<number> {
    const ms = await this.#client.count('SELECT toUnixTimestamp64Milli(now64(3))');
    this.#clockAheadMs = ms - Date.now();
    return ms;
  }

  /** Inserts a listing in parts, because a store may list more slowly than ClickHouse waits for the next row. */
  async addListing(run: string, batches: AsyncIterable<ListedTrace[]>): Promise<void> {
    const columns = ['run', 'address', 'size', 'generation', 'modified'];
    let rows: Field[][] = [];
    const insert = async (): Promise<void> => {
      const part = rows;
      rows = [];
      await this.#client.insert('bigtrace.trace_listing', columns, [part]);
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

  /** Counts the traces that the run listed, and those that must be read. */
  async counts(
    run: string,
    scriptDigests: ScriptDigests,
  ): Promise<{ listed: number; toRead: number }> {
    const [listed, toRead] = await Promise.all([
      this.#client.count(
        `SELECT uniqExact(address) FROM bigtrace.trace_listing WHERE run = ${literal(run)}`,
      ),
      this.#client.count(`SELECT count() FROM (${toReadSql(run, scriptDigests)})`),
    ]);
    return { listed, toRead };
  }

  /** Counts the listed traces that are empty, and those that the engine read only in part. */
  async verdicts(run: string): Promise<{ empty: number; partial: number }> {
    const having = (verdict: string): Promise<number> =>
      this.#client.count(
        `SELECT count() FROM bigtrace.trace_catalog FINAL
         WHERE verdict = ${literal(verdict)} AND vanished_at IS NULL AND address IN (
           SELECT address FROM bigtrace.trace_listing WHERE run = ${literal(run)})`,
      );
    const [empty, partial] = await Promise.all([having('empty'), having('partial')]);
    return { empty, partial };
  }

  /**
   * Yields the listed traces that are new, have changed, or lack the results of these queries, ordered by address. It
   * reads them page by page, because ClickHouse would time out while traces are being read.
   */
  async *toRead(run: string, scriptDigests: ScriptDigests): AsyncGenerator<TracesToRead[]> {
    let last = '';
    for (let rows = PAGE_ROWS; rows === PAGE_ROWS; ) {
      rows = 0;
      const page = `${toReadSql(run, scriptDigests, last)} LIMIT ${PAGE_ROWS}`;
      for await (const batch of this.#client.strings(asTexts(page), 4)) {
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

  /**
   * Writes a batch. The rows of trace_catalog, which make the traces known, come last: if a run is killed before, the
   * next run reads and writes the batch again.
   */
  async add(traces: readonly IndexedTrace[], scriptDigests: ScriptDigests): Promise<void> {
    const now = this.#nowS();
    const extra = traces.flatMap(({ address, generation, extra: values }) =>
      values === undefined ? [] : [[address, scriptDigests.extra ?? '', generation, values, now]],
    );
    await this.#client.insert(
      'bigtrace.trace_extra',
      ['address', 'question', 'generation', 'extra', 'asked_at'],
      [extra],
    );
    const rows = traces.map((trace) => catalogRow(trace, scriptDigests.metadata, now));
    await this.#client.insert('bigtrace.trace_catalog', CATALOG_COLUMNS, [rows]);
  }

  /**
   * Yields, in batches, the addresses in the catalog that begin with `prefix` and were not listed by the run. Addresses
   * that another run has added since `startMs` are excluded.
   */
  async *unlisted(run: string, prefix: string, startMs: number): AsyncGenerator<string[]> {
    const rows = this.#client.strings(
      `SELECT address FROM bigtrace.trace_catalog FINAL
       WHERE startsWith(address, ${literal(prefix)}) AND vanished_at IS NULL
         AND indexed_at < fromUnixTimestamp64Milli(${startMs})
         AND address NOT IN (SELECT address FROM bigtrace.trace_listing WHERE run = ${literal(run)})`,
      1,
    );
    for await (const batch of rows) yield batch.map(([address = '']) => address);
  }

  async markVanished(addresses: readonly string[]): Promise<void> {
    const list = addresses.map(literal).join(', ');
    await this.#client.command(
      `INSERT INTO bigtrace.trace_catalog
       SELECT * REPLACE (now64(3) AS indexed_at, now64(3) AS vanished_at)
       FROM bigtrace.trace_catalog FINAL WHERE address IN (${list})`,
    );
  }

  /** Waits for DROP_MS_MAX: without it, the rows are deleted a week later. */
  async dropListing(run: string): Promise<void> {
    await this.#client.command(
      `ALTER TABLE bigtrace.trace_listing DROP PARTITION ${literal(run)}`,
      { signal: AbortSignal.timeout(DROP_MS_MAX) },
    );
  }

  /** Counts how many of these traces the run listed or the catalog contains. */
  async countKnown(run: string, addresses: readonly string[]): Promise<number> {
    const isNamed = `address IN (${addresses.map(literal).join(', ')})`;
    return this.#client.count(
      `SELECT uniqExact(address) FROM (
         SELECT address FROM bigtrace.trace_listing WHERE run = ${literal(run)} AND ${isNamed}
         UNION ALL SELECT address FROM bigtrace.trace_catalog WHERE ${isNamed})`,
    );
  }

  async addLabels(
    batches: AsyncIterable<[address: string, labels: ReadonlyMap<string, string>][]>,
  ): Promise<void> {
    const now = this.#nowS();
    const rows = async function* (): AsyncGenerator<Field[][]> {
      for await (const batch of batches)
        yield batch.flatMap(([address, labels]) =>
          [...labels].map(([name, value]) => [address, name, value, now]),
        );
    };
    await this.#client.insert(
      'bigtrace.trace_label_values',
      ['address', 'name', 'value', 'labelled_at'],
      rows(),
    );
  }

  async addManifestParts(parts: readonly ManifestPart[]): Promise<void> {
    if (parts.length === 0) return;
    const rows = parts.map(({ part, name, json }) => [part, name, json]);
    await this.#client.insert('bigtrace.manifest_parts', ['part', 'name', 'json'], [rows]);
  }

  #nowS(): number {
    return (Date.now() + this.#clockAheadMs) / 1000;
  }
}

/** @param after only later addresses are selected */
function toReadSql(run: string, { metadata, extra }: ScriptDigests, after = ''): string {
  const isLater = `address > ${literal(after)}`;
  const upToDate = `SELECT address, generation FROM bigtrace.trace_catalog FINAL
      WHERE ${isLater} AND vanished_at IS NULL AND startsWith(indexed_with, ${literal(metadata)})
        AND error_code NOT IN (${TRANSIENT_CODES})`;
  const metadataMissing = `(address, generation) NOT IN (${upToDate})`;
  const extraMissing =
    extra === undefined
      ? 'false'
      : `(address, generation) NOT IN (${upToDate} AND error_code != '')
         AND (address, generation) NOT IN (
           SELECT address, generation FROM bigtrace.trace_extra FINAL
           WHERE ${isLater} AND question = ${literal(extra)} AND complete)`;
  return `SELECT address, size, generation, modified FROM bigtrace.trace_listing
    WHERE run = ${literal(run)} AND ${isLater} AND (${metadataMissing} OR (${extraMissing}))
    ORDER BY address LIMIT 1 BY address`;
}

function catalogRow(trace: IndexedTrace, indexedWith: string, now: number): Field[] {
  const { address, outcome } = trace;
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
    verdict: metadata?.verdict ?? '',
    error_stats: metadata?.errorStats ?? new Map(),
    row_counts: metadata?.rowCounts ?? new Map(),
    warnings: metadata?.warnings ?? new Map(),
    ...metadata?.typed,
    format: metadata?.typed.format ?? '', // an empty trace has no format, and the column is not Nullable
  };
  return CATALOG_COLUMNS.map((name) => own[name] ?? null);
}

/** Formats nanoseconds as DateTime64(9) text: seconds and nine decimal digits. */
function nanoseconds(value: bigint): string {
  const digits = value.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
