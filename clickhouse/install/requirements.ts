/** Checks before `bigtrace clickhouse install` changes anything: the version of ClickHouse, its users, and tables that exist. */
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { type Replication, replicationIn } from '../../lib/clickhouse/replicated.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { arrayLiteral, literal } from '../../lib/common/text/sql-literal.ts';

/** The first that knows all settings that the views and the users name. A test compares it with ClickHouse's own list. */
export const VERSION_MIN = '26.5';
const VERSION_TESTED = '26.7';
const ANSWER_MS_MAX = 60_000;

interface Server {
  url: string;
  username: string;
  password: string;
}

/**
 * Asks without the settings that the client sends: an old server refuses them before it says its version. A server that
 * cannot be asked passes; the client's error says why.
 * @throws invalid_option if the version is too old
 */
export async function requireVersion({ url, username, password }: Server): Promise<void> {
  const login = Buffer.from(`${username}:${password}`).toString('base64');
  const version = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${login}` },
    body: 'SELECT version()',
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).then(
    async (response) => (response.ok ? (await response.text()).trim() : ''),
    () => '',
  );
  if (!/^\d+\.\d+/.test(version) || !isBefore(version, VERSION_MIN)) return;
  throw new BigtraceError(
    'invalid_option',
    `${url} is ClickHouse ${version}, but the views need ${VERSION_MIN} or later; they were tested with ${VERSION_TESTED}`,
  );
}

/** Where a server keeps users that no statement can change. */
const READ_ONLY_DIRECTORIES = ['users_xml', 'ldap'];

/**
 * A server that may not be asked passes; its error for the statement says why.
 * @throws invalid_option if the server can create no user
 */
export async function requireUsersInSql(client: ClickHouse): Promise<void> {
  const rows = await client.rows('SELECT type FROM system.user_directories').catch(() => []);
  const types = rows.map(([type]) => String(type));
  if (types.length === 0 || types.some((type) => !READ_ONLY_DIRECTORIES.includes(type))) return;
  throw new BigtraceError(
    'invalid_option',
    `this ClickHouse keeps its users in ${types.join(' and ')} only, so no statement can create one: ` +
      'create there the user as whom the views run, with the grants that --dry-run prints, and name it with --definer',
  );
}

function isBefore(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

/**
 * Returns who names the tables of the database bigtrace in Keeper. For a dry run, a server that cannot be asked has no such
 * database yet.
 * @param replicated undefined: uninstall
 * @throws invalid_option if the database is Replicated, and install is not told so, or has several shards
 */
export async function replicationOf(
  client: ClickHouse,
  { replicated, dryRun }: { replicated?: boolean; dryRun: boolean },
): Promise<Replication> {
  const found = await replicationIn('bigtrace', client).catch((error: unknown) => {
    if (!dryRun) throw error;
    process.stderr.write('bigtrace: ClickHouse cannot be asked for its database bigtrace\n');
    return 'none' as const;
  });
  if (found === 'none') return replicated === true ? 'named' : 'none';
  if (replicated === false)
    throw new BigtraceError(
      'invalid_option',
      'the database bigtrace is Replicated: its servers would have the same tables, and other rows; pass --replicated',
    );
  // A cluster in the configuration may have the same name.
  const shards = await client.count(
    "SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = 'bigtrace' AND database_shard_name != ''",
  );
  if (shards > 1)
    throw new BigtraceError(
      'invalid_option',
      `the database bigtrace is Replicated, with ${shards} shards, which would have other rows; ` +
        'create it with the same name of the shard on each server',
    );
  return 'database';
}

/**
 * @param tables of the database bigtrace @param cluster undefined: only this server is asked
 * @throws invalid_option if a server has one of the tables, and does not replicate it
 */
export async function requireReplicated(
  client: ClickHouse,
  tables: readonly string[],
  cluster: string | undefined,
): Promise<void> {
  const source =
    cluster === undefined
      ? 'system.tables'
      : `clusterAllReplicas(${literal(cluster)}, system.tables)`;
  // With skip_unavailable_shards, a server that is down would be no server of the cluster.
  const rows = await client.rows(
    `SELECT concat(hostName(), ':', toString(tcpPort())) AS server,
       arrayStringConcat(arraySort(groupArray(name)), ', ')
     FROM ${source}
     WHERE database = 'bigtrace' AND name IN ${arrayLiteral(tables)}
       AND NOT match(engine, '^(Replicated|Shared)')
     GROUP BY server ORDER BY server SETTINGS skip_unavailable_shards = 0`,
  );
  if (rows.length === 0) return;
  const found = rows.map(([server, names]) => `on ${server} ${names}`);
  throw new BigtraceError(
    'invalid_option',
    `these tables of the database bigtrace exist and are not replicated: ${found.join('; ')}; ` +
      'copy their rows elsewhere, drop them, and run install again',
  );
}
