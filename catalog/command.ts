/** `bigtrace index`: lists stores and writes their traces with metadata into ClickHouse. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ClickHouse } from '../lib/clickhouse/client.ts';
import {
  openRunLock,
  type RunLock,
  reasonOf,
  waitingFor,
} from '../lib/clickhouse/run-lock/run-lock.ts';
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { type OrchestratorFlags, orchestratorOptions } from '../lib/client/orchestrator-options.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import { type LoginFlags, loginOptions, passwordOf } from '../lib/common/options/login-options.ts';
import { CatalogStore } from './catalog-store.ts';
import { type IndexProgress, runIndex } from './index-run.ts';
import { parseColumnType } from './manifest/manifest-labels.ts';

interface IndexFlags extends OrchestratorFlags, LoginFlags {
  extraSql?: string;
  manifest?: string;
  columnType: string[];
  dropColumn: string[];
  json?: boolean;
}

/**
 * @param env read for defaults and BIGTRACE_ADMIN_PASSWORD
 * @param dataDir directory in which `bigtrace up` stores the password
 */
export function indexCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  const command = new Command('index')
    .description(
      'list stores and write one row per trace, with its metadata, into the ClickHouse table bigtrace.traces',
    )
    .argument('[address...]', 'trace addresses or patterns, such as "/local/**"');
  const options = [...orchestratorOptions(env), ...loginOptions('admin', dataDir)];
  for (const option of options) command.addOption(option);
  return command
    .option(
      '--extra-sql <sql>',
      'script (@FILE reads it from FILE) to run on each trace; the columns of its first row are added to the catalog',
    )
    .option(
      '--manifest <file>',
      'CSV, JSON or SQLite (.db) file with additional columns, keyed by address or path',
    )
    .option(
      '--column-type <name=type...>',
      'type of a manifest column (Int64, Float64 or String), wider than its values require',
      [],
    )
    .option(
      '--drop-column <name...>',
      'before indexing, delete a column that an earlier --manifest or --extra-sql added, with its values',
      [],
    )
    .option('--json', 'print the result as JSON')
    .action(async (addresses: string[], flags: IndexFlags) => {
      await index(addresses, flags, env);
    });
}

async function index(
  addresses: string[],
  flags: IndexFlags,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (addresses.length === 0 && flags.dropColumn.length === 0)
    throw new BigtraceError(
      'invalid_option',
      'no trace address given; pass an address or a pattern, such as "/local/**"',
    );
  const columnTypes = new Map(flags.columnType.map(parseColumnType));
  if (columnTypes.size > 0 && flags.manifest === undefined)
    throw new BigtraceError('invalid_option', '--column-type needs --manifest');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const client = new OrchestratorClient(flags.orchestrator, flags);
  const password = (): string => passwordOf('admin', flags, env);
  const database = new ClickHouse({ url: flags.clickhouse, username: flags.user, password });
  const store = new CatalogStore(database);
  const line = new ProgressLine();
  let lock: RunLock | undefined;
  try {
    lock = await openRunLock(database, {
      name: 'index',
      onLost: () => stop.abort(),
      onWait: waitingFor,
      signal: stop.signal,
    });
    for (const name of flags.dropColumn) await store.columns.drop(name);
    if (addresses.length === 0) return;
    const plan = {
      addresses,
      ...(flags.extraSql === undefined ? {} : { extraSql: scriptOf(flags.extraSql) }),
      ...(flags.manifest === undefined ? {} : { manifest: flags.manifest }),
      columnTypes,
    };
    const result = await runIndex(plan, {
      client,
      store,
      lock,
      signal: stop.signal,
      onProgress: (progress) => line.draw(progress),
    });
    line.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${summaryText(result)}\n`);
  } catch (error) {
    throw await reasonOf(error, lock);
  } finally {
    line.clear();
    client.close();
    await lock?.release();
    await store.close();
  }
}

function scriptOf(sql: string): string {
  return sql.startsWith('@') ? readFileSync(sql.slice(1), 'utf8') : sql;
}

function summaryText({ listed, read, failed, vanished, empty, partial }: IndexProgress): string {
  const summary = `${listed} traces listed, ${read} read, ${failed} of them cannot be loaded, ${vanished} vanished`;
  const verdicts = [
    ...(empty === 0 ? [] : [`${empty} of those listed are empty (verdict = 'empty')`]),
    ...(partial === 0 ? [] : [`${partial} are partial (see error_stats and warnings)`]),
  ];
  return [summary, ...verdicts].join('\n');
}

/** A progress line on the terminal, redrawn at most every 200 ms. */
class ProgressLine {
  #drawnMs = 0;

  draw({ phase, listed, toRead, read, failed }: IndexProgress): void {
    const now = performance.now();
    if (!process.stderr.isTTY || (phase !== 'done' && now - this.#drawnMs < 200)) return;
    this.#drawnMs = now;
    const text =
      phase === 'listing'
        ? `listing: ${listed} traces`
        : `reading: ${read} of ${toRead} traces (${listed} listed, ${failed} cannot be loaded)`;
    process.stderr.write(`\r\x1b[K${text}`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
