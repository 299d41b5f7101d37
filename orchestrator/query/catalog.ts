/** Reads the catalog in ClickHouse: the traces that expressions over bigtrace.traces select. */
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client';
import { CatalogFilters, TRACES } from '../../lib/common/addresses/catalog-filters.ts';
import { expressionsOf } from '../../lib/common/addresses/where-address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { rowBinaryStrings } from '../../lib/common/text/row-binary.ts';
import { WHERE_CHARS_MAX } from '../../lib/common/text/text-bounds.ts';

/** A ClickHouse user that may only read bigtrace.traces (clickhouse/users.d/bigtrace.xml). */
const USER = 'bigtrace_catalog';

const REQUEST_MS_MAX = 600_000;
/** Escaping makes a text up to four times as long. */
const STATEMENT_BYTES_MAX = 4 * WHERE_CHARS_MAX + 2 ** 20;
/** Maximum length of a filter in a no_match error. */
const SHOWN_CHARS = 200;

export class Catalog {
  readonly #client: ClickHouseClient;
  readonly #url: string;

  /** @param url URL of ClickHouse's HTTP interface */
  constructor(url: string, password: string) {
    this.#url = url;
    this.#client = createClient({
      url,
      username: USER,
      password,
      request_timeout: REQUEST_MS_MAX,
      log: { level: ClickHouseLogLevel.OFF }, // errors are thrown, not logged
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Yields the addresses of selected traces in batches, as ClickHouse finds them.
   * @param path path of an address `/where/…`
   * @param sample maximum number of addresses, chosen by a hash so that they are spread over all
   * @throws invalid_filter with ClickHouse's message, no_match, catalog_failed
   */
  async *addressesWhere(
    path: string,
    { signal, sample }: { signal: AbortSignal; sample?: number },
  ): AsyncGenerator<Buffer[]> {
    const [first = '1', ...others] = expressionsOf(path);
    const filters = new CatalogFilters();
    const spread = sample === undefined ? '' : `ORDER BY cityHash64(address) LIMIT ${sample}`;
    let matched = false;
    try {
      const { stream } = await this.#client.exec({
        query: `SELECT address FROM ${filters.table(first)}
          WHERE vanished_at IS NULL AND ${filters.condition(others)} ${spread}${filters.settings} FORMAT RowBinary`,
        clickhouse_settings: { max_query_size: String(STATEMENT_BYTES_MAX) },
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
    if (!matched) throw new BigtraceError('no_match', `no trace of ${TRACES} has ${shown(path)}`);
  }

  #errorOf(thrown: unknown): BigtraceError {
    if (thrown instanceof BigtraceError) return thrown;
    const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
    return thrown instanceof ClickHouseError && !/AUTHENTICATION_FAILED/.test(thrown.type ?? '')
      ? new BigtraceError('invalid_filter', `filter over ${TRACES}: ${text}`, {
          cause: thrown,
        })
      : new BigtraceError('catalog_failed', `ClickHouse at ${this.#url}: ${text}`, {
          cause: thrown,
        });
  }
}

function shown(filter: string): string {
  return filter.length <= SHOWN_CHARS ? filter : `${filter.slice(0, SHOWN_CHARS)}…`;
}
