/**
 * Tables whose rows all servers of a cluster have, however the cluster divides them into shards: ClickHouse keeps their
 * state in Keeper.
 */
import { literal } from '../common/text/sql-literal.ts';
import type { ClickHouse } from './client.ts';

/**
 * Who names a table in Keeper: nobody, for a table of one server; the statement that creates it; or its database, which has
 * the engine Replicated and refuses names in statements.
 */
export type Replication = 'none' | 'named' | 'database';

/** Each server is one replica of each table. Macros of its configuration name it. */
export const REPLICA = '{shard}-{replica}';

/**
 * Of the database of results, whatever the shard of a server: so all of them are replicas of its tables. A statement
 * that creates, renames or drops a table there does so on all servers.
 */
export const RESULTS_ENGINE = `Replicated('/clickhouse/databases/bigtrace_results', 'all', ${literal(REPLICA)})`;

const TABLE = /^CREATE TABLE IF NOT EXISTS bigtrace\.(\w+)/m;
const ENGINE = /^ENGINE = (\w*MergeTree)(?:\((\w+)\))?$/m;

/**
 * Returns the engine of a table, and the clause behind its order.
 *
 * Without `replicated_deduplication_window = 0`, ClickHouse would drop an insert that equals an earlier one, although its
 * rows have been deleted since.
 * @param engine such as MergeTree @param version the column of its version, if any @param table its name in Keeper
 */
export function tableEngine(
  engine: string,
  replication: Replication,
  { version, table = '' }: { version?: string | undefined; table?: string } = {},
): { engine: string; settings: string } {
  const names =
    replication === 'named'
      ? [literal(`/clickhouse/tables/bigtrace/${table}`), literal(REPLICA)]
      : [];
  const values = [...names, ...(version === undefined ? [] : [version])];
  const whole = `${replication === 'none' ? '' : 'Replicated'}${engine}`;
  return {
    engine: values.length === 0 ? whole : `${whole}(${values.join(', ')})`,
    settings: replication === 'none' ? '' : 'SETTINGS replicated_deduplication_window = 0',
  };
}

/** Returns the statement that creates the same table as a replicated one. Others are returned as they are. */
export function replicated(statement: string, replication: Replication): string {
  const table = tableOf(statement);
  if (table === undefined || replication === 'none') return statement;
  const [clause = '', plain = '', version] = ENGINE.exec(statement) ?? [];
  if (clause === '' || /^(SETTINGS|COMMENT) /m.test(statement))
    throw new Error(`no engine that can be replicated, or more behind it: ${statement}`);
  const { engine, settings } = tableEngine(plain, replication, { version, table });
  return `${statement.replace(clause, `ENGINE = ${engine}`).trimEnd()}\n${settings}\n`;
}

/** Returns the name of the table that the statement creates; undefined if it creates none. */
export function tableOf(statement: string): string | undefined {
  return TABLE.exec(statement)?.[1];
}

/** Returns who names new tables of a database in Keeper. */
export async function replicationIn(database: string, client: ClickHouse): Promise<Replication> {
  const [row] = await client.rows(
    `SELECT engine FROM system.databases WHERE name = ${literal(database)}`,
  );
  return row?.[0] === 'Replicated' ? 'database' : 'none';
}

/**
 * Returns the settings of an insert whose rows all servers have when it ends, if the table is replicated. Servers that are
 * down get them later. Of a table that is not, only what every user may read is asked for.
 */
export async function onAllServers(
  database: string,
  table: string,
  client: ClickHouse,
): Promise<Record<string, string>> {
  const [found] = await client.rows(
    `SELECT engine FROM system.tables WHERE database = ${literal(database)} AND name = ${literal(table)}`,
  );
  if (!found?.[0]?.startsWith('Replicated')) return {};
  const [row] = await client.rows(
    `SELECT toString(active_replicas) FROM system.replicas
     WHERE database = ${literal(database)} AND table = ${literal(table)}`,
  );
  const servers = Number(row?.[0] ?? 1);
  if (servers < 2) return {};
  return {
    insert_quorum: String(servers),
    insert_quorum_parallel: '1', // otherwise two runs at once would fail
    insert_quorum_timeout: '60000',
  };
}
