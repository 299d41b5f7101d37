/** Runs queries in a test system's ClickHouse. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Logins } from './system.ts';

/** Returns a client of the system's ClickHouse; it must be closed before the system stops. */
export function clickhouseAs(
  system: Logins,
  user: 'analyst' | 'admin' | 'aggregator',
): ClickHouseClient {
  return createClient({
    url: system.clickhouseHttp,
    username: user,
    password: user === 'admin' ? system.adminPassword : system.analystPassword,
    request_timeout: 120_000,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** Returns all rows as arrays of values; 64-bit integers are strings. */
export async function rowsOf(
  client: ClickHouseClient,
  query: string,
  settings: Record<string, string | number> = {},
): Promise<unknown[][]> {
  const response = await client.query({
    query,
    format: 'JSONCompactEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1, ...settings },
  });
  return await response.json<unknown[]>();
}

/**
 * Returns the message of a query's error; if the query succeeds, a message that quotes its rows. ClickHouse sends nothing
 * before the query has ended: this client loses the text of an error that arrives after rows, in two pieces.
 */
export async function errorOf(client: ClickHouseClient, query: string): Promise<string> {
  try {
    const rows = await rowsOf(client, query, { wait_end_of_query: 1 });
    throw new Error(`expected an error, got ${JSON.stringify(rows).slice(0, 200)}`);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
