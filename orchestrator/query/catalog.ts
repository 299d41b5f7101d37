/** Reads the catalog in ClickHouse: the traces that expressions over bigtrace.traces select. */
import { ClickHouse, type ClickHouseLogin } from '../../lib/clickhouse/client.ts';
import { CANCELLER_USER, CATALOG_USER } from '../../lib/clickhouse/users.ts';
import {
  CatalogFilters,
  FILTER_SUBJECT,
  TRACES,
} from '../../lib/common/addresses/catalog-filters.ts';
import { expressionsOf } from '../../lib/common/addresses/where-address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { WHERE_CHARS_MAX } from '../../lib/common/text/text-bounds.ts';

/** Escaping makes a text up to four times as long. */
const STATEMENT_BYTES_MAX = 4 * WHERE_CHARS_MAX + 2 ** 20;
/** Limit of an expression that reads the catalog, in milliseconds. */
const EXECUTION_MS_MAX = 600_000;
/** Maximum length of a filter in a no_match error. */
const SHOWN_CHARS = 200;

export class Catalog {
  readonly #client: ClickHouse;

  /** @param url URL of ClickHouse's HTTP interface */
  constructor(url: string, password: ClickHouseLogin['password']) {
    this.#client = new ClickHouse(
      { url, username: CATALOG_USER, password },
      {
        canceller: { username: CANCELLER_USER, password },
        settings: { max_query_size: String(STATEMENT_BYTES_MAX) },
        errors: {
          rejected: 'invalid_filter',
          denied: 'invalid_filter', // the expression reads more than the catalog
          subject: FILTER_SUBJECT,
        },
      },
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Yields the addresses of selected traces in batches, as ClickHouse finds them. The query in ClickHouse ends when
   * the signal is aborted, or the caller stops.
   * @param path path of an address `/where/…`
   * @param user who asks; bounds the cancelled queries that ClickHouse has not ended
   * @param sample maximum number of addresses, chosen by a hash so that they are spread over all
   * @throws invalid_filter with ClickHouse's message, limit_exceeded, deadline_exceeded,
   * too_many_queries, no_match, catalog_failed
   */
  async *addressesWhere(
    path: string,
    { signal, user, sample }: { signal: AbortSignal; user: string; sample?: number },
  ): AsyncGenerator<Buffer[]> {
    const [first = '1', ...others] = expressionsOf(path);
    const filters = new CatalogFilters();
    const spread = sample === undefined ? '' : `ORDER BY cityHash64(address) LIMIT ${sample}`;
    let matched = false;
    const batches = this.#client.strings(
      `SELECT address FROM ${filters.table(first)}
        WHERE vanished_at IS NULL AND ${filters.condition(others)} ${spread}${filters.settings}`,
      1,
      { signal, user, executionMsMax: EXECUTION_MS_MAX },
    );
    for await (const rows of batches) {
      matched = true;
      yield rows.map(([address = '']) => bytesFromText(address));
    }
    if (!matched)
      throw new BigtraceError('no_match', `no trace of ${TRACES} matches ${shown(path)}`);
  }
}

function shown(filter: string): string {
  return filter.length <= SHOWN_CHARS ? filter : `${filter.slice(0, SHOWN_CHARS)}…`;
}
