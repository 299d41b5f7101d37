/** `bigtrace index`: what is in the stores, into ClickHouse. */
import { existsSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { OrchestratorClient } from '../client/orchestrator-client.ts';
import { type OrchestratorFlags, orchestratorOptions } from '../client/orchestrator-options.ts';
import { BigtraceError } from '../common/errors.ts';
import { CatalogStore } from './catalog-store.ts';
import { type IndexProgress, runIndex } from './index-run.ts';

interface IndexFlags extends OrchestratorFlags {
  clickhouse: string;
  user: string;
  passwordFile: string;
  extraSql?: string;
  manifest?: string;
  json?: boolean;
}

/** `env`: for BIGTRACE_ADMIN_PASSWORD; `dataDir`: where `bigtrace up` keeps the password. */
export function indexCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  const command = new Command('index')
    .description(
      'list traces into the ClickHouse table bigtrace.traces, and read the metadata of new ones',
    )
    .argument('<address...>', 'addresses or patterns, such as "/local/**"');
  for (const option of orchestratorOptions()) command.addOption(option);
  return command
    .addOption(
      new Option('--clickhouse <url>', "ClickHouse's HTTP interface")
        .env('BIGTRACE_CLICKHOUSE')
        .default('http://127.0.0.1:8123'),
    )
    .addOption(new Option('--user <name>', 'its user').default('admin'))
    .addOption(
      new Option(
        '--password-file <file>',
        'file with the password; BIGTRACE_ADMIN_PASSWORD comes first',
      ).default(`${dataDir}/admin.password`),
    )
    .option(
      '--extra-sql <sql>',
      'a script, or @FILE that holds it, whose first row is added to each trace',
    )
    .option('--manifest <file>', 'CSV or JSON file of further metadata, by address or path')
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
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const client = new OrchestratorClient(flags.orchestrator, flags);
  const password = env['BIGTRACE_ADMIN_PASSWORD'] || passwordIn(flags.passwordFile);
  const store = new CatalogStore({ url: flags.clickhouse, username: flags.user, password });
  const line = new ProgressLine();
  try {
    const plan = {
      addresses,
      ...(flags.extraSql === undefined ? {} : { extraSql: scriptOf(flags.extraSql) }),
      ...(flags.manifest === undefined ? {} : { manifest: flags.manifest }),
    };
    const result = await runIndex(plan, {
      client,
      store,
      signal: stop.signal,
      onProgress: (progress) => line.draw(progress),
    });
    line.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${told(result)}\n`);
  } finally {
    line.clear();
    client.close();
    await store.close();
  }
}

function passwordIn(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd();
  throw new BigtraceError(
    'invalid_option',
    `no password: ${file} is not there; set BIGTRACE_ADMIN_PASSWORD or --password-file`,
  );
}

function scriptOf(sql: string): string {
  return sql.startsWith('@') ? readFileSync(sql.slice(1), 'utf8') : sql;
}

function told({ listed, read, failed, vanished }: IndexProgress): string {
  return `${listed} traces listed, ${read} read, ${failed} of them do not load, ${vanished} vanished`;
}

/** One line on a terminal, drawn anew a few times a second. */
class ProgressLine {
  #drawnMs = 0;

  draw({ phase, listed, toRead, read, failed }: IndexProgress): void {
    const now = performance.now();
    if (!process.stderr.isTTY || (phase !== 'done' && now - this.#drawnMs < 200)) return;
    this.#drawnMs = now;
    const text =
      phase === 'listing'
        ? `listing: ${listed} traces`
        : `reading: ${read} of ${toRead} traces (${listed} listed, ${failed} do not load)`;
    process.stderr.write(`\r\x1b[K${text}`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
