/**
 * Tables whose rows all servers of a cluster have, however the cluster divides them into shards: ClickHouse keeps their
 * state in Keeper. Pure.
 */
import { literal } from '../../lib/common/text/sql-literal.ts';

/** Each server is one replica of each table. Macros of its configuration name it. */
const REPLICA = '{shard}-{replica}';

const TABLE = /^CREATE TABLE IF NOT EXISTS bigtrace\.(\w+)/m;
const ENGINE = /^ENGINE = (\w*MergeTree)(?:\((\w+)\))?$/m;

/**
 * Returns the statement that creates the same table as a replicated one. Others are returned as they are.
 *
 * Without `replicated_deduplication_window = 0`, ClickHouse would drop an insert that equals an earlier one, although its
 * rows have been deleted since.
 */
export function replicated(statement: string): string {
  const name = tableOf(statement);
  if (name === undefined) return statement;
  const [clause = '', engine = '', version] = ENGINE.exec(statement) ?? [];
  if (clause === '' || /^(SETTINGS|COMMENT) /m.test(statement))
    throw new Error(`no engine that can be replicated, or more behind it: ${statement}`);
  const path = literal(`/clickhouse/tables/bigtrace/${name}`);
  const values = [path, literal(REPLICA), ...(version === undefined ? [] : [version])];
  const whole = statement.replace(clause, `ENGINE = Replicated${engine}(${values.join(', ')})`);
  return `${whole.trimEnd()}\nSETTINGS replicated_deduplication_window = 0\n`;
}

/** Returns the name of the table that the statement creates; undefined if it creates none. */
export function tableOf(statement: string): string | undefined {
  return TABLE.exec(statement)?.[1];
}
