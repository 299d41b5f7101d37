/** Moves rows that an earlier version of the embedded engine wrote unencrypted to the encrypted disk. */
import { ClickHouse, type ClickHouseLogin } from '../../lib/clickhouse/client.ts';
import { asBigtraceError } from '../../lib/common/errors.ts';
import { identifier, literal } from '../../lib/common/text/sql-literal.ts';

/** @returns a message for each part that could not be moved; the next start tries again */
export async function encryptTables(login: ClickHouseLogin): Promise<string[]> {
  const client = new ClickHouse(login);
  try {
    const failures: string[] = [];
    const parts = await client.rows(
      `SELECT database, table, name FROM system.parts WHERE active AND disk_name = 'default'`,
    );
    for (const [database, table, name] of parts) {
      try {
        await client.command(
          `ALTER TABLE ${identifier(database ?? '')}.${identifier(table ?? '')} MOVE PART ${literal(name ?? '')} TO DISK 'tables'`,
        );
      } catch (thrown) {
        failures.push(`${database}.${table}, part ${name}: ${asBigtraceError(thrown).message}`);
      }
    }
    return failures;
  } finally {
    await client.close();
  }
}
