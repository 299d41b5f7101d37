/** Asking a running system as its users would. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { System } from './system.ts';

/** A client of the system's ClickHouse; close it before the system stops. */
export function clickhouseAs(system: System, user: 'analyst' | 'admin'): ClickHouseClient {
  return createClient({
    url: system.clickhouseHttp,
    username: user,
    password: user === 'admin' ? system.adminPassword : system.analystPassword,
    request_timeout: 120_000,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** All rows, each an array of values; 64-bit integers as strings. */
export async function rowsOf(
  client: ClickHouseClient,
  query: string,
  settings: Record<string, string | number> = {},
): Promise<unknown[][]> {
  const answer = await client.query({
    query,
    format: 'JSONCompactEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1, ...settings },
  });
  return await answer.json<unknown[]>();
}

/** The message of the error that the query ends with; fails where it answers. */
export async function errorOf(client: ClickHouseClient, query: string): Promise<string> {
  try {
    const rows = await rowsOf(client, query);
    throw new Error(`expected an error, got ${JSON.stringify(rows).slice(0, 200)}`);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** A ClickHouse string literal. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, (char) => `\\${char}`)}'`;
}

/** A ClickHouse array literal of addresses. */
export function arrayOf(addresses: string[]): string {
  return `[${addresses.map(literal).join(', ')}]`;
}
