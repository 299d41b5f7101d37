/** The SQL part of the set-up: runs the statements of `sql/` on a server that already has the configuration files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { BigtraceError } from '../../lib/common/errors.ts';

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
