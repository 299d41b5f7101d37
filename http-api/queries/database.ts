/** The ClickHouse client of the HTTP API and of `bigtrace materialize`. */
import { ClickHouse, type ClickHouseLogin } from '../../lib/clickhouse/client.ts';

/** The longest time limit that a query may have, in milliseconds. Queries end by their own limits. */
const QUERY_MS_MAX = 86_400_000;
const CONNECTIONS_MAX = 256;
const ANSWER_BYTES_MAX = 256 * 2 ** 20;

/** Users of clickhouse/users.d/bigtrace.xml. The second one may read only the catalog. */
export const BACKEND_USER = 'bigtrace_backend';
export const CATALOG_USER = 'bigtrace_catalog';

export function openDatabase(login: ClickHouseLogin): ClickHouse {
  return new ClickHouse(login, {
    silenceMsMax: QUERY_MS_MAX,
    connectionsMax: CONNECTIONS_MAX,
    settings: { max_result_bytes: String(ANSWER_BYTES_MAX) },
    // The statements contain filters and scripts of users.
    errors: { rejected: 'invalid_filter', subject: 'ClickHouse' },
  });
}
