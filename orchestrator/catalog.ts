/** The catalog in ClickHouse: which traces an expression over bigtrace.traces selects. */
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  SettingsMap,
} from '@clickhouse/client';
import { bytesFromText } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import { rowBinaryStrings } from '../common/row-binary.ts';

/** May read bigtrace.traces and nothing else (clickhouse/users.d/bigtrace.xml). */
const USER = 'bigtrace_catalog';

const REQUEST_MS_MAX = 600_000;

export class Catalog {
  readonly #client: ClickHouseClient;
  readonly #url: string;

  /** `url`: of the HTTP interface. */
  constructor(url: string, password: string) {
    this.#url = url;
    this.#client = createClient({
      url,
      username: USER,
      password,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF }, // what fails is thrown
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Addresses in batches, as ClickHouse finds them; with `sample`, as many at most, spread over all.
   * @throws invalid_filter with ClickHouse's own words, no_match, catalog_failed
   */
  async *addressesWhere(
    filter: string,
    { signal, sample }: { signal: AbortSignal; sample?: number },
  ): AsyncGenerator<Buffer[]> {
    const spread = sample === undefined ? '' : `ORDER BY cityHash64(address) LIMIT ${sample}`;
    let matched = false;
    try {
      const { stream } = await this.#client.exec({
        query: `SELECT address FROM bigtrace.traces WHERE vanished_at IS NULL ${spread} FORMAT RowBinary`,
        // ClickHouse parses this as an expression, so nothing in it can become another statement.
        clickhouse_settings: {
          additional_table_filters: SettingsMap.from({ 'bigtrace.traces': escaped(filter) }),
        },
        abort_signal: signal,
      });
      for await (const rows of rowBinaryStrings(stream as AsyncIterable<Buffer>, 1)) {
        matched = true;
        yield rows.map(([address = '']) => bytesFromText(address));
      }
    } catch (thrown) {
      signal.throwIfAborted();
      throw this.#errorOf(thrown);
    }
    if (!matched) throw new BigtraceError('no_match', `no trace of bigtrace.traces has ${filter}`);
  }

  #errorOf(thrown: unknown): BigtraceError {
    if (thrown instanceof BigtraceError) return thrown;
    const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
    return thrown instanceof ClickHouseError && !/AUTHENTICATION_FAILED/.test(thrown.type ?? '')
      ? new BigtraceError('invalid_filter', `filter over bigtrace.traces: ${text}`, {
          cause: thrown,
        })
      : new BigtraceError('catalog_failed', `ClickHouse at ${this.#url}: ${text}`, {
          cause: thrown,
        });
  }
}

/** Within single quotes; the client itself does not escape what is in a map. */
function escaped(text: string): string {
  return text.replace(/[\\']/g, (char) => `\\${char}`);
}
