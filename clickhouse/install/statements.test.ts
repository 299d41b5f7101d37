import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Replication, replicated, tableOf } from '../../lib/clickhouse/replicated.ts';
import { generatedSql } from '../views/query-views.mjs';
import { grants, installStatements, uninstallStatements } from './statements.ts';

const VIEW =
  'CREATE OR REPLACE VIEW bigtrace.v\nDEFINER = bigtrace_definer SQL SECURITY DEFINER\nAS SELECT 1\n';
const TABLE =
  '-- A comment.\nCREATE TABLE IF NOT EXISTS bigtrace.t (a String)\nENGINE = MergeTree\nORDER BY a\n';

const SQL = join(import.meta.dirname, '../sql');

const OPTIONS = {
  bridge: 'https://bridge:5004',
  token: "it's",
  definer: undefined,
  cluster: undefined,
  services: undefined,
  replication: 'none' as const,
};

const USERS_XML = readFileSync(join(import.meta.dirname, '../users.d/bigtrace.xml'), 'utf8');
const SERVICES = { usersXml: USERS_XML, passwordHash: 'abc' };

test('install creates the collection, the user, the role, and then the views', () => {
  const collection =
    "url = 'https://bridge:5004' NOT OVERRIDABLE, `headers.header.name` = 'Authorization' NOT OVERRIDABLE, " +
    "`headers.header.value` = 'Bearer it\\'s' NOT OVERRIDABLE";
  expect(installStatements([VIEW], OPTIONS)).toEqual([
    'CREATE DATABASE IF NOT EXISTS bigtrace',
    `CREATE NAMED COLLECTION IF NOT EXISTS bigtrace_bridge AS ${collection}`,
    `ALTER NAMED COLLECTION bigtrace_bridge SET ${collection}`,
    'CREATE USER IF NOT EXISTS bigtrace_definer IDENTIFIED WITH no_password HOST NONE',
    ...grants('bigtrace_definer'),
    'CREATE ROLE IF NOT EXISTS bigtrace_reader',
    'GRANT SELECT ON bigtrace.* TO bigtrace_reader',
    'GRANT SELECT ON bigtrace_results.* TO bigtrace_reader',
    VIEW.trim(),
  ]);
});

test('the users of the HTTP API have the profiles, grants and filters of users.d/bigtrace.xml', () => {
  const statements = installStatements([VIEW], { ...OPTIONS, services: SERVICES });
  const login = "IDENTIFIED WITH sha256_hash BY 'abc'";
  const since = statements.indexOf(`CREATE USER IF NOT EXISTS bigtrace_catalog ${login}`);
  const filter = "user IN ('bigtrace_catalog', 'bigtrace_backend')";
  expect(statements.slice(since, since + 9)).toEqual([
    `CREATE USER IF NOT EXISTS bigtrace_catalog ${login}`,
    `ALTER USER bigtrace_catalog ${login} DEFAULT DATABASE bigtrace SETTINGS PROFILE 'bigtrace_catalog'`,
    'GRANT SELECT ON bigtrace.traces TO bigtrace_catalog',
    `CREATE USER IF NOT EXISTS bigtrace_canceller ${login}`,
    `ALTER USER bigtrace_canceller ${login} DEFAULT DATABASE bigtrace SETTINGS PROFILE 'bigtrace_user'`,
    'GRANT SELECT ON system.processes TO bigtrace_canceller',
    'GRANT KILL QUERY ON *.* TO bigtrace_canceller',
    `CREATE ROW POLICY IF NOT EXISTS bigtrace_canceller ON system.processes USING ${filter} TO bigtrace_canceller`,
    `ALTER ROW POLICY bigtrace_canceller ON system.processes USING ${filter} TO bigtrace_canceller`,
  ]);
  expect(statements).toContain(
    "ALTER SETTINGS PROFILE bigtrace_catalog SETTINGS INHERIT 'bigtrace_analyst', max_memory_usage = '1073741824', " +
      "function_range_max_elements_in_block = '1000000', max_threads = '4'",
  );
  expect(statements).toContain(
    "ALTER SETTINGS PROFILE bigtrace_backend SETTINGS INHERIT 'bigtrace_user', readonly = '0', allow_ddl = '1', " +
      'enable_analyzer CONST, allow_experimental_analyzer CONST',
  );
  expect(
    statements.find((one) => one.startsWith('ALTER SETTINGS PROFILE bigtrace_user')),
  ).toContain(
    "log_queries_cut_to_length = '100000', log_queries_cut_to_length MIN 65536, ast_fuzzer_runs CONST",
  );
});

test('without a token, the header of an earlier installation is replaced', () => {
  const statements = installStatements([], { ...OPTIONS, token: undefined });
  const collection =
    "url = 'https://bridge:5004' NOT OVERRIDABLE, `headers.header.name` = 'X-Bigtrace-Token' NOT OVERRIDABLE, " +
    "`headers.header.value` = 'none' NOT OVERRIDABLE";
  expect(statements.slice(1, 3)).toEqual([
    `CREATE NAMED COLLECTION IF NOT EXISTS bigtrace_bridge AS ${collection}`,
    `ALTER NAMED COLLECTION bigtrace_bridge SET ${collection}`,
  ]);
});

test('with a definer, no user, role or grant is created', () => {
  const statements = installStatements([VIEW], { ...OPTIONS, definer: 'someone' });
  expect(statements.filter((one) => /USER|ROLE|GRANT/.test(one))).toEqual([]);
  expect(statements.at(-1)).toContain('DEFINER = someone SQL SECURITY');
});

test('with a cluster, every statement runs ON CLUSTER', () => {
  const options = { ...OPTIONS, cluster: 'main' };
  const resident = generatedSql('Native').filter(([path]) => path.startsWith('sql-resident/'));
  const statements = [
    ...installStatements([VIEW, TABLE, ...resident.map(([, sql]) => sql)], {
      ...{ ...options, services: SERVICES },
    }),
    ...uninstallStatements(['v'], USERS_XML, options),
  ];
  for (const one of statements) expect(one).toMatch(/^[A-Z].*? ON CLUSTER 'main'/m);
  expect(statements.find((one) => one.includes('bigtrace.t '))).toContain(
    "CREATE TABLE IF NOT EXISTS bigtrace.t ON CLUSTER 'main' (a String)",
  );
});

test('a replicated table is the same on all servers of a cluster, whatever their shard', () => {
  const options = { ...OPTIONS, cluster: 'main', replication: 'named' as const };
  const listing = readFileSync(join(SQL, '21-trace_listing.sql'), 'utf8');
  expect(installStatements([TABLE, listing, VIEW], options).slice(-3)).toEqual([
    TABLE.trim()
      .replace('bigtrace.t ', "bigtrace.t ON CLUSTER 'main' ")
      .replace(
        'ENGINE = MergeTree\nORDER BY a',
        `ENGINE = ReplicatedMergeTree('/clickhouse/tables/bigtrace/t', '{shard}-{replica}')
ORDER BY a
SETTINGS replicated_deduplication_window = 0`,
      ),
    listing
      .replace('bigtrace.trace_listing', "bigtrace.trace_listing ON CLUSTER 'main'")
      .replace(
        'ENGINE = MergeTree',
        "ENGINE = ReplicatedMergeTree('/clickhouse/tables/bigtrace/trace_listing', '{shard}-{replica}')",
      )
      .replace(/\n$/, '\nSETTINGS replicated_deduplication_window = 0'),
    VIEW.trim().replace('bigtrace.v', "bigtrace.v ON CLUSTER 'main'"),
  ]);
});

test('with replicated tables, there is a table of locks in Keeper', () => {
  const locks = (replication: Replication): string[] =>
    installStatements([VIEW], { ...OPTIONS, cluster: 'main', replication }).filter((one) =>
      one.includes('bigtrace.locks'),
    );
  expect(locks('none')).toEqual([]);
  expect(locks('named')).toEqual([
    expect.stringMatching(
      /^CREATE TABLE IF NOT EXISTS bigtrace\.locks ON CLUSTER 'main' \(.*ENGINE = KeeperMap\('\/bigtrace_locks'\)/s,
    ),
  ]);
});

test('a Replicated database gets its tables without ON CLUSTER, and names them itself', () => {
  const results = readFileSync(join(SQL, '35-bigtrace_results.sql'), 'utf8');
  const options = { ...OPTIONS, cluster: 'main', replication: 'database' as const };
  expect(installStatements([TABLE, results, VIEW], options).slice(-3)).toEqual([
    TABLE.trim().replace(
      'ENGINE = MergeTree\nORDER BY a',
      'ENGINE = ReplicatedMergeTree\nORDER BY a\nSETTINGS replicated_deduplication_window = 0',
    ),
    `-- One table per query sent over HTTP, with its rows (http-api/).
CREATE DATABASE IF NOT EXISTS bigtrace_results ON CLUSTER 'main'
ENGINE = Replicated('/clickhouse/databases/bigtrace_results', 'all', '{shard}-{replica}')`,
    VIEW.trim(),
  ]);
  expect(uninstallStatements(['v'], USERS_XML, options)).toEqual([
    'DROP VIEW IF EXISTS bigtrace.v',
    "DROP NAMED COLLECTION IF EXISTS bigtrace_bridge ON CLUSTER 'main'",
    "DROP ROLE IF EXISTS bigtrace_reader ON CLUSTER 'main'",
    "DROP USER IF EXISTS bigtrace_definer ON CLUSTER 'main'",
    "DROP ROW POLICY IF EXISTS bigtrace_canceller ON CLUSTER 'main' ON system.processes",
    "DROP ROW POLICY IF EXISTS bigtrace_backend ON CLUSTER 'main' ON system.query_log",
    "DROP USER IF EXISTS bigtrace_catalog ON CLUSTER 'main'",
    "DROP USER IF EXISTS bigtrace_canceller ON CLUSTER 'main'",
    "DROP USER IF EXISTS bigtrace_backend ON CLUSTER 'main'",
    "DROP SETTINGS PROFILE IF EXISTS bigtrace_backend ON CLUSTER 'main'",
    "DROP SETTINGS PROFILE IF EXISTS bigtrace_catalog ON CLUSTER 'main'",
    "DROP SETTINGS PROFILE IF EXISTS bigtrace_analyst ON CLUSTER 'main'",
    "DROP SETTINGS PROFILE IF EXISTS bigtrace_user ON CLUSTER 'main'",
  ]);
});

test('every table of Bigtrace can be replicated, with its version column', () => {
  const all = readdirSync(SQL).map((name) => readFileSync(join(SQL, name), 'utf8'));
  const tables = all.filter((sql) => tableOf(sql) !== undefined);
  expect(tables).toHaveLength(11);
  for (const sql of tables) {
    const [, engine = '', version] = /^ENGINE = (\w+)(?:\((\w+)\))?$/m.exec(sql) ?? [];
    const path = `'/clickhouse/tables/bigtrace/${tableOf(sql)}', '{shard}-{replica}'`;
    const values = version === undefined ? path : `${path}, ${version}`;
    expect(replicated(sql, 'named')).toContain(`\nENGINE = Replicated${engine}(${values})\n`);
    const own = version === undefined ? '' : `(${version})`;
    expect(replicated(sql, 'database')).toContain(`\nENGINE = Replicated${engine}${own}\n`);
  }
  expect(all.filter((sql) => /ENGINE = \w*MergeTree/.test(sql))).toEqual(tables);
});

test('uninstall drops what install created, and no table', () => {
  expect(uninstallStatements(['v'], USERS_XML, OPTIONS)).toEqual([
    'DROP VIEW IF EXISTS bigtrace.v',
    'DROP NAMED COLLECTION IF EXISTS bigtrace_bridge',
    'DROP ROLE IF EXISTS bigtrace_reader',
    'DROP USER IF EXISTS bigtrace_definer',
    'DROP ROW POLICY IF EXISTS bigtrace_canceller ON system.processes',
    'DROP ROW POLICY IF EXISTS bigtrace_backend ON system.query_log',
    'DROP USER IF EXISTS bigtrace_catalog',
    'DROP USER IF EXISTS bigtrace_canceller',
    'DROP USER IF EXISTS bigtrace_backend',
    'DROP SETTINGS PROFILE IF EXISTS bigtrace_backend',
    'DROP SETTINGS PROFILE IF EXISTS bigtrace_catalog',
    'DROP SETTINGS PROFILE IF EXISTS bigtrace_analyst',
    'DROP SETTINGS PROFILE IF EXISTS bigtrace_user',
  ]);
});

test('no view of the resident bridge executes a program', () => {
  const resident = generatedSql('Native').filter(([path]) => path.startsWith('sql-resident/'));
  expect(resident).toHaveLength(21);
  for (const [path, sql] of resident)
    expect([path, /executable\(|bigtrace_schema\(|profile = /.test(sql)]).toEqual([path, false]);
  const calls = resident.filter(([, sql]) => sql.includes('FROM url(\n    bigtrace_bridge,'));
  expect(calls).toHaveLength(20);
});
