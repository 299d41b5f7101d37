/** The SQL part of the set-up: runs the statements of `sql/` on a server that already has the configuration files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClickHouse, type ClickHouseLogin } from '../../lib/clickhouse/client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { COMMENTS } from './descriptions.mjs';

const SILENCE_MS_MAX = 30_000;

/**
 * Creates or updates the database and its views.
 * @param tree the built `clickhouse/` directory
 * @param inDefault whether to create the views in the database `default`, too
 * @throws invalid_option if the server lacks configuration files, cannot be reached, or rejects the login
 */
export async function setUpClickHouse(
  login: ClickHouseLogin,
  tree: string,
  { inDefault = true } = {},
): Promise<void> {
  const client = new ClickHouse(login, {
    silenceMsMax: SILENCE_MS_MAX,
    errors: { rejected: 'invalid_option', denied: 'invalid_option', unavailable: 'invalid_option' },
  });
  try {
    await requireConfiguration(client, login.url);
    for (const file of readdirSync(join(tree, 'sql')).sort())
      await client.command(readFileSync(join(tree, 'sql', file), 'utf8'));
    await describeObjects(client);
    if (inDefault) await setUpDefaultDatabase(client, join(tree, 'sql-default'));
  } finally {
    await client.close();
  }
}

/** Sets the comments that differ: those of new objects, and of objects that an earlier version created. */
async function describeObjects(client: ClickHouse): Promise<void> {
  const tables = await client.rows(
    "SELECT name, comment FROM system.tables WHERE database = 'bigtrace'",
  );
  for (const [name, comment] of tables) {
    const wanted = COMMENTS.get(name ?? '');
    if (wanted !== undefined && wanted !== comment)
      await client.command(`ALTER TABLE bigtrace.${name} MODIFY COMMENT ${literal(wanted)}`);
  }
}

/**
 * Creates the views in the database `default` as well, because many clients use it unless they are told another.
 * Leaves alone what others have created there under these names.
 */
async function setUpDefaultDatabase(client: ClickHouse, directory: string): Promise<void> {
  const rows = await client.rows(
    `SELECT 'database' AS kind, name FROM system.databases WHERE name = 'default'
     UNION ALL SELECT 'taken', name FROM system.tables
     WHERE database = 'default' AND position(create_table_query, 'DEFINER = bigtrace_definer') = 0`,
  );
  if (!rows.some(([kind]) => kind === 'database')) return;
  const taken = new Set(rows.filter(([kind]) => kind === 'taken').map(([, name]) => name));
  for (const file of readdirSync(directory).sort())
    if (!taken.has(viewIn(file))) await client.command(readFileSync(join(directory, file), 'utf8'));
}

/** Name of the view that a file such as `10-bigtrace.sql` creates. */
function viewIn(file: string): string {
  return file.replace(/^\d+-|\.sql$/g, '');
}

async function requireConfiguration(client: ClickHouse, url: string): Promise<void> {
  const [row = []] = await client.rows(`SELECT
      (SELECT count() FROM system.functions WHERE name = 'bigtrace_schema'),
      (SELECT count() FROM system.users WHERE name = 'bigtrace_definer'),
      (SELECT count() FROM system.settings_profiles WHERE name = 'bigtrace_rows')`);
  const [functions, definers, profiles] = row.map(Number);
  const lacks = [
    ...(functions === 1 ? [] : ['the function bigtrace_schema']),
    ...(definers === 1 ? [] : ['the user bigtrace_definer']),
    ...(profiles === 1 ? [] : ['the settings profile bigtrace_rows']),
  ];
  if (lacks.length > 0)
    throw new BigtraceError(
      'invalid_option',
      `ClickHouse at ${url} lacks ${lacks.join(' and ')}: copy config.d, users.d and ` +
        'bigtrace_function.xml of the built clickhouse directory to its configuration directory ' +
        '(/etc/clickhouse-server), and user_scripts to its user_scripts_path',
    );
}
