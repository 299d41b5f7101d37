/**
 * The ClickHouse client of all rooms. A result does not depend on the default profile of the server or of the user
 * (pinned-settings.ts), every failure is a BigtraceError (errors.ts), and a query that its caller abandons ends in
 * ClickHouse.
 */
import { Readable } from 'node:stream';
import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { BigtraceError } from '../common/errors.ts';
import { CATALOG_POLICY, clickHouseError, type ErrorPolicy } from './errors.ts';
import { untilError } from './late-error.ts';
import { PINNED_SETTINGS } from './pinned-settings.ts';
import { rowBinaryStrings } from './row-binary.ts';
import { type Field, tsvRow } from './tsv.ts';

/** Values as text; integers of 64 bits keep all digits. */
export type Row = (string | null)[];

export interface ClickHouseLogin {
  /** URL of the HTTP interface, such as `http://host:port`. */
  url: string;
  username: string;
  password: string;
}

export interface ClickHouseOptions {
  /** A request fails after this time without a byte. A query ends by its own limits. */
  silenceMsMax?: number;
  connectionsMax?: number;
  /** Settings of all requests, in addition to the pinned ones. */
  settings?: ClickHouseSettings;
  errors?: Partial<ErrorPolicy>;
}

export interface CallOptions {
  queryId?: string;
  settings?: ClickHouseSettings;
  /** Aborting it closes the connection, and ClickHouse cancels a SELECT then. The call rejects with its reason. */
  signal?: AbortSignal;
  /** ClickHouse ends the statement after this time: deadline_exceeded. 0 or undefined: no limit of ours. */
  executionMsMax?: number;
}

const SILENCE_MS_MAX = 600_000;
/** Statements contain lists of addresses, and scripts. */
const STATEMENT_BYTES_MAX = 64 * 2 ** 20;

export class ClickHouse {
  readonly #client: ClickHouseClient;
  readonly #url: string;
  readonly #policy: ErrorPolicy;

  /** @throws invalid_option if the URL is malformed */
  constructor(login: ClickHouseLogin, options: ClickHouseOptions = {}) {
    this.#url = withoutCredentials(login.url);
    this.#policy = { ...CATALOG_POLICY, ...options.errors };
    this.#client = createClient({
      ...login,
      application: 'bigtrace',
      request_timeout: options.silenceMsMax ?? SILENCE_MS_MAX,
      ...(options.connectionsMax === undefined
        ? {}
        : { max_open_connections: options.connectionsMax }),
      clickhouse_settings: {
        ...PINNED_SETTINGS,
        max_query_size: String(STATEMENT_BYTES_MAX),
        ...options.settings,
      },
      log: { level: ClickHouseLogLevel.OFF }, // errors are thrown
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Returns the rows of a query, in memory. Its columns must be texts, or become texts in JSON (64-bit integers).
   * Bytes that are not UTF-8 become U+FFFD; strings() keeps them.
   */
  rows(query: string, options: CallOptions = {}): Promise<Row[]> {
    return this.#guard(options, async () => {
      const answer = await this.#client.query({
        query,
        format: 'JSONCompactEachRow',
        ...params(options),
      });
      return answer.json<Row>();
    });
  }

  /** Returns the first value of a query as a number. */
  async count(query: string, options: CallOptions = {}): Promise<number> {
    const [row] = await this.rows(query, options);
    return Number(row?.[0] ?? 0);
  }

  /** Yields batches of rows of `columns` String columns as they arrive, with every byte (byte-text.ts). */
  async *strings(
    query: string,
    columns: number,
    options: CallOptions = {},
  ): AsyncGenerator<string[][]> {
    try {
      const { stream, response_headers } = await this.#client.exec({
        query: `${query} FORMAT RowBinary`,
        ...params(options),
      });
      const bytes = untilError(stream as AsyncIterable<Buffer>, response_headers);
      yield* rowBinaryStrings(bytes, columns);
    } catch (thrown) {
      throw this.#errorOf(thrown, options);
    }
  }

  async command(query: string, options: CallOptions = {}): Promise<void> {
    await this.#guard(options, () => this.#client.command({ query, ...params(options) }));
  }

  /** Inserts rows in one statement. @param table with its database */
  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<Field[][]> | Iterable<Field[][]>,
    options: CallOptions = {},
  ): Promise<void> {
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for await (const batch of rows) if (batch.length > 0) yield Buffer.concat(batch.map(tsvRow));
    };
    await this.#guard(options, () =>
      this.#client.insert({
        table,
        values: Readable.from(bytes(), { objectMode: false }),
        format: 'TabSeparated',
        columns: columns as [string, ...string[]],
        ...params(options),
      }),
    );
  }

  async #guard<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw this.#errorOf(thrown, options);
    }
  }

  #errorOf(thrown: unknown, { signal }: CallOptions): unknown {
    return signal?.aborted ? signal.reason : clickHouseError(thrown, this.#url, this.#policy);
  }
}

/** Returns a query for strings() with the values of any query as texts; NULL is the empty text. */
export function asTexts(query: string): string {
  return `SELECT COLUMNS('.*') APPLY(x -> ifNull(toString(x), '')) FROM (${query})`;
}

function params({ queryId, settings, signal, executionMsMax = 0 }: CallOptions): {
  query_id?: string;
  clickhouse_settings?: ClickHouseSettings;
  abort_signal?: AbortSignal;
} {
  const limit = executionMsMax === 0 ? {} : { max_execution_time: executionMsMax / 1000 };
  return {
    ...(queryId === undefined ? {} : { query_id: queryId }),
    clickhouse_settings: { ...limit, ...settings },
    ...(signal === undefined ? {} : { abort_signal: signal }),
  };
}

/** For messages. @throws invalid_option */
function withoutCredentials(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new BigtraceError(
      'invalid_option',
      "the URL of ClickHouse's HTTP interface must be http://HOST:PORT or https://HOST:PORT",
    );
  return `${parsed.origin}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}
