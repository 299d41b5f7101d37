/**
 * ClickHouse client of the HTTP backend. It logs in as the user bigtrace_backend (clickhouse/users.d/bigtrace.xml)
 * unless another is given.
 */
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { BigtraceError, ERROR_CODES, isErrorCode } from '../../lib/common/errors.ts';

export type Row = (string | null)[];

export interface AskOptions {
  queryId?: string;
  settings?: ClickHouseSettings;
}

/**
 * HTTP request timeout in milliseconds: the longest time limit that a query may have. Queries end by their own limits.
 */
const REQUEST_MS_MAX = 86_400_000;
const CONNECTIONS_MAX = 256;
/** The statement contains the addresses and the script. */
const STATEMENT_BYTES_MAX = 64 * 2 ** 20;
const ANSWER_BYTES_MAX = 256 * 2 ** 20;

export class Database {
  readonly #client: ClickHouseClient;
  readonly #url: string;

  /** @param url of ClickHouse's HTTP interface */
  constructor(url: string, password: string, username = 'bigtrace_backend') {
    this.#url = url;
    this.#client = createClient({
      url,
      username,
      password,
      request_timeout: REQUEST_MS_MAX,
      max_open_connections: CONNECTIONS_MAX,
      clickhouse_settings: {
        max_query_size: String(STATEMENT_BYTES_MAX),
        max_result_bytes: String(ANSWER_BYTES_MAX),
        output_format_json_quote_64bit_integers: 1,
      },
      log: { level: ClickHouseLogLevel.OFF }, // errors are thrown
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Runs a query whose columns are all strings, or become strings in JSON (64-bit integers).
   * @throws BigtraceError, see errorOf
   */
  async rows(query: string, { queryId, settings }: AskOptions = {}): Promise<Row[]> {
    return this.#guard(async () => {
      const answer = await this.#client.query({
        query,
        format: 'JSONCompactEachRow',
        ...(queryId === undefined ? {} : { query_id: queryId }),
        ...(settings === undefined ? {} : { clickhouse_settings: settings }),
      });
      return answer.json<Row>();
    });
  }

  async count(query: string, options: AskOptions = {}): Promise<number> {
    const [row] = await this.rows(query, options);
    return Number(row?.[0] ?? 0);
  }

  async command(query: string, { queryId, settings }: AskOptions = {}): Promise<void> {
    await this.#guard(() =>
      this.#client.command({
        query,
        ...(queryId === undefined ? {} : { query_id: queryId }),
        ...(settings === undefined ? {} : { clickhouse_settings: settings }),
      }),
    );
  }

  async insert(table: string, values: readonly object[]): Promise<void> {
    await this.#guard(() =>
      this.#client.insert({ table, values: [...values], format: 'JSONEachRow' }),
    );
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw errorOf(thrown, this.#url);
    }
  }
}

/** Matches `message (code)`, the last line that the bridge writes to stderr. */
const BRIDGE_SAYS = new RegExp(
  `Executable generates stderr: (.*) \\((${Object.keys(ERROR_CODES).join('|')})\\)`,
  's',
);

/**
 * Translates an error of the ClickHouse client. The bridge's message and code are used if ClickHouse's text contains
 * them; otherwise ClickHouse's error type determines the code.
 */
export function errorOf(thrown: unknown, url: string): BigtraceError {
  const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
  const ours = BRIDGE_SAYS.exec(text);
  const code = ours?.[2] ?? '';
  if (ours !== null && isErrorCode(code))
    return new BigtraceError(code, ours[1] ?? '', { cause: thrown });
  if (!(thrown instanceof ClickHouseError))
    return new BigtraceError('catalog_failed', `ClickHouse at ${url} cannot be reached: ${text}`, {
      cause: thrown,
    });
  return new BigtraceError(codeOf(thrown.type ?? ''), `ClickHouse: ${text}`, { cause: thrown });
}

function codeOf(
  type: string,
): 'cancelled' | 'deadline_exceeded' | 'limit_exceeded' | 'catalog_failed' | 'invalid_filter' {
  if (type === 'QUERY_WAS_CANCELLED') return 'cancelled';
  if (type === 'TIMEOUT_EXCEEDED') return 'deadline_exceeded';
  if (/^(TOO_MANY|MEMORY_LIMIT|QUERY_IS_TOO_LARGE)/.test(type)) return 'limit_exceeded';
  return /AUTHENTICATION|ACCESS_DENIED|UNKNOWN_DATABASE/.test(type)
    ? 'catalog_failed'
    : 'invalid_filter';
}
