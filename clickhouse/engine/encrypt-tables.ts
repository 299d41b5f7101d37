/** Moves rows that an earlier version of the embedded engine wrote unencrypted to the encrypted disk. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseLogin } from '../views/set-up.ts';

const MOVE_MS_MAX = 600_000;

interface Part {
  database: string;
  table: string;
  name: string;
}

/** @returns a message for each part that could not be moved; the next start tries again */
export async function encryptTables(login: ClickHouseLogin): Promise<string[]> {
  const client = createClient({
    ...login,
    request_timeout: MOVE_MS_MAX,
    log: { level: ClickHouseLogLevel.OFF }, // errors are returned
  });
  try {
    const failures: string[] = [];
    for (const part of await partsInTheClear(client)) {
      try {
        await move(client, part);
      } catch (thrown) {
        const text = thrown instanceof Error ? thrown.message : String(thrown);
        failures.push(`${part.database}.${part.table}, part ${part.name}: ${text}`);
      }
    }
    return failures;
  } finally {
    await client.close();
  }
}

async function partsInTheClear(client: ClickHouseClient): Promise<Part[]> {
  const answer = await client.query({
    query: `SELECT database, table, name FROM system.parts WHERE active AND disk_name = 'default'`,
    format: 'JSONEachRow',
  });
  return answer.json<Part>();
}

async function move(client: ClickHouseClient, { database, table, name }: Part): Promise<void> {
  await client.command({
    query: `ALTER TABLE {database:Identifier}.{table:Identifier} MOVE PART '${name}' TO DISK 'tables'`,
    query_params: { database, table },
  });
}
