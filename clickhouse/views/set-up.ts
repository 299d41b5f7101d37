/** The SQL part of the set-up: runs the statements of `sql/` on a server that already has the configuration files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { BigtraceError } from '../../lib/common/errors.ts';
import { COMMENTS, literal } from './descriptions.mjs';

const REQUEST_MS_MAX = 30_000;

export interface ClickHouseLogin {
  /** URL of the HTTP interface, such as `http://host:port`. */
  url: string;
  username: string;
  password: string;
}

function adminClient(login: ClickHouseLogin): ClickHouseClient {
  return createClient({
    ...login,
    request_timeout: REQUEST_MS_MAX,
    log: { level: ClickHouseLogLevel.OFF }, // errors are thrown
  });
}

/**
 * Creates or updates the database and its views.
 * @param tree the built `clickhouse/` directory
 * @throws invalid_option if the server lacks configuration files, cannot be reached, or rejects the login
 */
export async function setUpClickHouse(login: ClickHouseLogin, tree: string): Promise<void> {
  const client = adminClient(login);
  try {
    await requireConfiguration(client, login.url);
    for (const file of readdirSync(join(tree, 'sql')).sort())
      await client.command({ query: readFileSync(join(tree, 'sql', file), 'utf8') });
    await describeObjects(client);
    await setUpDefaultDatabase(client, join(tree, 'sql-default'));
  } catch (thrown) {
    if (thrown instanceof BigtraceError) throw thrown;
    const text = thrown instanceof Error ? thrown.message || String(thrown) : String(thrown);
    throw new BigtraceError('invalid_option', `ClickHouse at ${login.url}: ${text}`, {
      cause: thrown,
    });
  } finally {
    await client.close();
  }
}

/** Sets the comments that differ: those of new objects, and of objects that an earlier version created. */
async function describeObjects(client: ClickHouseClient): Promise<void> {
  const answer = await client.query({
    query: "SELECT name, comment FROM system.tables WHERE database = 'bigtrace'",
    format: 'JSONEachRow',
  });
  for (const { name, comment } of await answer.json<{ name: string; comment: string }>()) {
    const wanted = COMMENTS.get(name);
    if (wanted !== undefined && wanted !== comment)
      await client.command({
        query: `ALTER TABLE bigtrace.${name} MODIFY COMMENT ${literal(wanted)}`,
      });
  }
}

/**
 * Creates the views in the database `default` as well, because many clients use it unless they are told another.
 * Leaves alone what others have created there under these names.
 */
async function setUpDefaultDatabase(client: ClickHouseClient, directory: string): Promise<void> {
  const answer = await client.query({
    query: `SELECT 'database' AS kind, name FROM system.databases WHERE name = 'default'
      UNION ALL SELECT 'taken', name FROM system.tables
      WHERE database = 'default' AND position(create_table_query, 'DEFINER = bigtrace_definer') = 0`,
    format: 'JSONEachRow',
  });
  const found = await answer.json<{ kind: 'database' | 'taken'; name: string }>();
  if (!found.some(({ kind }) => kind === 'database')) return;
  const taken = new Set(found.filter(({ kind }) => kind === 'taken').map(({ name }) => name));
  for (const file of readdirSync(directory).sort())
    if (!taken.has(viewIn(file)))
      await client.command({ query: readFileSync(join(directory, file), 'utf8') });
}

/** Name of the view that a file such as `10-bigtrace.sql` creates. */
function viewIn(file: string): string {
  return file.replace(/^\d+-|\.sql$/g, '');
}

async function requireConfiguration(client: ClickHouseClient, url: string): Promise<void> {
  const answer = await client.query({
    query: `SELECT
      (SELECT count() FROM system.functions WHERE name = 'bigtrace_schema') AS has_function,
      (SELECT count() FROM system.users WHERE name = 'bigtrace_definer') AS has_definer,
      (SELECT count() FROM system.settings_profiles WHERE name = 'bigtrace_rows') AS has_profile`,
    format: 'JSONEachRow',
  });
  const [has] = await answer.json<Record<'has_function' | 'has_definer' | 'has_profile', string>>();
  const lacks = [
    ...(Number(has?.has_function) > 0 ? [] : ['the function bigtrace_schema']),
    ...(Number(has?.has_definer) > 0 ? [] : ['the user bigtrace_definer']),
    ...(Number(has?.has_profile) > 0 ? [] : ['the settings profile bigtrace_rows']),
  ];
  if (lacks.length > 0)
    throw new BigtraceError(
      'invalid_option',
      `ClickHouse at ${url} has not ${lacks.join(' and ')}: copy config.d, users.d and ` +
        'bigtrace_function.xml of the built clickhouse directory to its configuration directory ' +
        '(/etc/clickhouse-server), and user_scripts to its user_scripts_path',
    );
}
