/** The ClickHouse client of the HTTP API and of `bigtrace materialize`. */
import {
  ClickHouse,
  type ClickHouseLogin,
  type ClickHouseOptions,
} from '../../lib/clickhouse/client.ts';
import { CANCELLER_USER, CATALOG_USER } from '../../lib/clickhouse/users.ts';
import { FILTER_SUBJECT } from '../../lib/common/addresses/catalog-filters.ts';

/** The longest time limit that a query may have, in milliseconds. Queries end by their own limits. */
const QUERY_MS_MAX = 86_400_000;
const CONNECTIONS_MAX = 256;
const ANSWER_BYTES_MAX = 256 * 2 ** 20;

/** A user of clickhouse/users.d/bigtrace.xml. */
export const BACKEND_USER = 'bigtrace_backend';

const OPTIONS: ClickHouseOptions = {
  silenceMsMax: QUERY_MS_MAX,
  connectionsMax: CONNECTIONS_MAX,
  settings: { max_result_bytes: String(ANSWER_BYTES_MAX) },
  // The statements contain filters and scripts of users.
  errors: { rejected: 'invalid_filter', subject: 'ClickHouse' },
};

/** @param signal ends all queries */
export function openDatabase(login: ClickHouseLogin, signal?: AbortSignal): ClickHouse {
  return new ClickHouse(login, { ...OPTIONS, signal });
}

/** Opens the catalog as a user who may read nothing else, for expressions of users. */
export function openCatalog(url: string, password: ClickHouseLogin['password']): ClickHouse {
  const login = { url, username: CATALOG_USER, password };
  return new ClickHouse(login, {
    ...OPTIONS,
    canceller: { username: CANCELLER_USER, password },
    // An expression that is denied reads more than the catalog.
    errors: { rejected: 'invalid_filter', denied: 'invalid_filter', subject: FILTER_SUBJECT },
  });
}
