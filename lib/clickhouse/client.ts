/**
 * The ClickHouse client of all rooms. A result does not depend on the default profile of the server or of the user
 * (pinned-settings.ts), every failure is a BigtraceError (errors.ts), and a query that its caller abandons ends in
 * ClickHouse.
 */

import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { BigtraceError } from '../common/errors.ts';
import { httpAgent } from '../common/network/connect-timeout.ts';
import { parsedUrl } from '../common/text/parsed-url.ts';
import { CATALOG_POLICY, clickHouseError, type ErrorPolicy, loggedError } from './errors.ts';
import { untilError } from './late-error.ts';
import { type Auth, Password } from './password.ts';
import { PINNED_SETTINGS } from './pinned-settings.ts';
import { QueryKiller } from './query-killer.ts';
import { rowBinaryStrings } from './row-binary.ts';
import { serverError } from './server-error.ts';
import { type Field, tsvRow } from './tsv.ts';

/** Values as text; integers of 64 bits keep all digits. */
export type Row = (string | null)[];

/** Rows with the names and types of their columns. */
export interface Table {
  columns: { name: string; type: string }[];
  rows: Row[];
}

export interface ClickHouseLogin {
  /** URL of the HTTP interface, such as `http://host:port`. */
  url: string;
  username: string;
  /** A function is called again when ClickHouse rejects the password: its file may have been replaced. */
  password: string | (() => string);
}

export interface ClickHouseOptions {
  /** A request fails after this time without a byte. A query ends by its own limits. */
  silenceMsMax?: number;
  connectionsMax?: number;
  /** Settings of all requests, in addition to the pinned ones. */
  settings?: ClickHouseSettings;
  errors?: Partial<ErrorPolicy>;
  /** For all calls that have no signal of their own. */
  signal?: AbortSignal | undefined;
  /** Kills the queries of callers that have left. Without it, the login does so itself. */
  canceller?: Pick<ClickHouseLogin, 'username' | 'password'>;
  /** A request fails if there is no connection after this time. */
  connectMs?: number;
}

export interface CallOptions {
  queryId?: string;
  settings?: ClickHouseSettings;
  /** Aborting it closes the connection and kills the query. The call rejects with its reason. */
  signal?: AbortSignal;
  /** Who waits for the result; bounds the cancelled queries that still run (query-killer.ts). */
  user?: string;
  /** ClickHouse ends the statement after this time: deadline_exceeded. 0 or undefined: no limit of ours. */
  executionMsMax?: number;
}

/** ClickHouse looks at the connection only for statements that are read-only. */
const READ_SETTINGS: ClickHouseSettings = { readonly: '2' };
const KILL_MS_MAX = 600_000;
const KILLS_MAX = 256;
const SILENCE_MS_MAX = 600_000;
/** As the client library's default. */
const CONNECTIONS_MAX = 10;
/** Statements contain lists of addresses, and scripts. */
const STATEMENT_BYTES_MAX = 64 * 2 ** 20;

export class ClickHouse {
  readonly #client: ClickHouseClient;
  readonly #password: Password;
  readonly #killer: QueryKiller;
  readonly #signal: AbortSignal | undefined;
  readonly #url: string;
  readonly #policy: ErrorPolicy;

  /** @throws invalid_option if the URL is malformed */
  constructor(login: ClickHouseLogin, options: ClickHouseOptions = {}) {
    this.#url = withoutCredentials(login.url);
    this.#policy = { ...CATALOG_POLICY, ...options.errors };
    const { url, username, password } = login;
    this.#password = new Password(username, password);
    this.#client = createClient({
      ...connectionOf(url, options.connectionsMax ?? CONNECTIONS_MAX, options.connectMs),
      request_timeout: options.silenceMsMax ?? SILENCE_MS_MAX,
      clickhouse_settings: {
        ...PINNED_SETTINGS,
        max_query_size: String(STATEMENT_BYTES_MAX),
        ...options.settings,
      },
    });
    this.#signal = options.signal;
    // A client of its own: the queries to kill may hold all connections of the other.
    const { canceller = login } = options;
    this.#killer = new QueryKiller(
      createClient({
        ...connectionOf(url, KILLS_MAX, options.connectMs),
        request_timeout: KILL_MS_MAX,
      }),
      new Password(canceller.username, canceller.password),
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#killer.close()]);
  }

  /**
   * Returns the rows of a query, in memory. Its columns must be texts, or become texts in JSON (64-bit integers).
   * Bytes that are not UTF-8 become U+FFFD; strings() keeps them.
   */
  rows(query: string, options: CallOptions = {}): Promise<Row[]> {
    return this.#jsonLines(`${query} FORMAT JSONCompactEachRow`, options);
  }

  /** Returns the rows of a query as rows() does, with the names and types of its columns. */
  async table(query: string, options: CallOptions = {}): Promise<Table> {
    const [names = [], types = [], ...rows] = await this.#jsonLines(
      `${query} FORMAT JSONCompactEachRowWithNamesAndTypes`,
      options,
    );
    const columns = names.map((name, nth) => ({ name: name ?? '', type: types[nth] ?? '' }));
    return { columns, rows };
  }

  #jsonLines(query: string, options: CallOptions): Promise<Row[]> {
    return this.#run(
      { ...options, settings: { ...READ_SETTINGS, ...options.settings } },
      async (params) => {
        const lines = (await allOf(await this.#send({ query, ...params })))
          .toString('utf8')
          .split('\n');
        return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
      },
    );
  }

  /** Returns the first value of a query as a number. */
  async count(query: string, options: CallOptions = {}): Promise<number> {
    const [row] = await this.rows(query, options);
    return Number(row?.[0] ?? 0);
  }

  /** Yields batches of rows of `columns` String columns as they arrive, with every byte (byte-text.ts). */
  strings(query: string, columns: number, options: CallOptions = {}): AsyncGenerator<string[][]> {
    const read = (bytes: AsyncIterable<Buffer>) => rowBinaryStrings(bytes, columns);
    return this.#streamed(`${query} FORMAT RowBinary`, read, options);
  }

  /** Yields the bytes of the result as they arrive, in a format of ClickHouse such as Parquet. */
  bytes(query: string, format: string, options: CallOptions = {}): AsyncGenerator<Buffer> {
    return this.#streamed(`${query} FORMAT ${format}`, (bytes) => bytes, options);
  }

  /** Sends a query that only reads, and yields what `read` makes of its result. It ends when the caller stops reading. */
  async *#streamed<Item>(
    query: string,
    read: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Item>,
    options: CallOptions,
  ): AsyncGenerator<Item> {
    /** Aborted when the caller stops reading. */
    const readerLeft = new AbortController();
    const { signal = this.#signal ?? readerLeft.signal, queryId = randomUUID() } = options;
    signal.throwIfAborted();
    const abandoned = AbortSignal.any([signal, readerLeft.signal]);
    const ended = this.#killer.onAbort(queryId, abandoned, options.user ?? '');
    try {
      const settings = { ...READ_SETTINGS, ...options.settings };
      const params = paramsOf({ ...options, queryId, settings, signal: abandoned });
      const bytes = await this.#password.with((auth) => this.#send({ query, ...params, auth }));
      yield* read(bytes);
      ended();
    } catch (thrown) {
      if (thrown instanceof ClickHouseError) ended();
      throw this.#errorOf(thrown, options);
    } finally {
      readerLeft.abort();
    }
  }

  async command(query: string, options: CallOptions = {}): Promise<void> {
    await this.#run(options, async (params) => allOf(await this.#send({ query, ...params })));
  }

  /**
   * Inserts rows in one statement.
   * @param table with its database
   * @param rows an array can be sent again if the password was replaced
   */
  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<Field[][]> | Iterable<Field[][]>,
    options: CallOptions = {},
  ): Promise<void> {
    const bytes = async function* (): AsyncGenerator<Buffer> {
      for await (const batch of rows) if (batch.length > 0) yield Buffer.concat(batch.map(tsvRow));
    };
    const query = `INSERT INTO ${table} (${columns.join(', ')}) FORMAT TabSeparated`;
    const insert = async (params: Params): Promise<unknown> => {
      const values = Readable.from(bytes(), { objectMode: false });
      return allOf(await this.#send({ query, values, ...params }));
    };
    await this.#run(options, insert, Array.isArray(rows));
  }

  /** Returns the error that a statement would have thrown whose exception the query log has. */
  loggedError(exception: string): BigtraceError {
    return loggedError(exception, this.#url, this.#policy);
  }

  /**
   * Sends a statement; kills it if the caller leaves before it has ended.
   * @param mayRepeat whether `send` can be called again if ClickHouse rejected the password
   */
  async #run<T>(
    options: CallOptions,
    send: (params: Params) => Promise<T>,
    mayRepeat = true,
  ): Promise<T> {
    const { signal = this.#signal, queryId = randomUUID() } = options;
    signal?.throwIfAborted();
    const ended = signal && this.#killer.onAbort(queryId, signal, options.user ?? '');
    const params = paramsOf(signal === undefined ? options : { ...options, queryId, signal });
    try {
      return await this.#password.with((auth) => send({ ...params, auth }), mayRepeat);
    } catch (thrown) {
      throw this.#errorOf(thrown, options);
    } finally {
      ended?.();
    }
  }

  /** Sends a request. @returns the bytes of the response, of which the caller must read all @throws serverError */
  async #send(
    request: Params & { query: string; values?: Readable },
  ): Promise<AsyncIterable<Buffer>> {
    const { stream, response_headers, http_status_code } = await this.#client.exec({
      ...request,
      ignore_error_response: true,
    });
    const failed = response_headers['x-clickhouse-exception-code'] !== undefined;
    if (failed || http_status_code !== 200)
      throw serverError((await allOf(stream as AsyncIterable<Buffer>)).toString('utf8'));
    return untilError(stream as AsyncIterable<Buffer>, response_headers);
  }

  #errorOf(thrown: unknown, { signal = this.#signal }: CallOptions): unknown {
    return signal?.aborted ? signal.reason : clickHouseError(thrown, this.#url, this.#policy);
  }
}

/** The options of all clients. The user and the password come with each request. */
function connectionOf(url: string, maxSockets: number, connectMs: number | undefined) {
  const isTls = new URL(url).protocol === 'https:';
  return {
    url,
    application: 'bigtrace',
    http_agent: httpAgent({
      ...{ isTls, keepAlive: true, maxSockets },
      ...(connectMs === undefined ? {} : { connectMs }),
    }),
    log: { level: ClickHouseLogLevel.OFF }, // errors are thrown
  };
}

async function allOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns a query for strings() with the values of any query as texts; NULL is the empty text. */
export function asTexts(query: string): string {
  return `SELECT COLUMNS('.*') APPLY(x -> ifNull(toString(x), '')) FROM (${query})`;
}

interface Params {
  query_id?: string;
  clickhouse_settings?: ClickHouseSettings;
  abort_signal?: AbortSignal;
  auth?: Auth;
}

function paramsOf({ queryId, settings, signal, executionMsMax = 0 }: CallOptions): Params {
  const limit = executionMsMax === 0 ? {} : { max_execution_time: executionMsMax / 1000 };
  return {
    ...(queryId === undefined ? {} : { query_id: queryId }),
    clickhouse_settings: { ...limit, ...settings },
    ...(signal === undefined ? {} : { abort_signal: signal }),
  };
}

/** For messages. @throws invalid_option */
function withoutCredentials(url: string): string {
  const parsed = parsedUrl(url);
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new BigtraceError(
      'invalid_option',
      "the URL of ClickHouse's HTTP interface must be http://HOST:PORT or https://HOST:PORT",
    );
  return `${parsed.origin}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}
