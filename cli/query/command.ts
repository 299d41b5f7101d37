/** `bigtrace query`: runs one SQL script over traces, through the orchestrator's gRPC interface. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import {
  type OrchestratorFlags,
  orchestratorOptions,
} from '../../lib/client/orchestrator-options.ts';
import { WHERE_STORE } from '../../lib/common/addresses/address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { durationMs } from '../../lib/common/options/options.ts';
import { bytesFromText, printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { engineNamed, withEngineNamed } from '../../lib/common/text/engine-comment.ts';
import { SUMMARIZE } from '../../lib/engine/script/summary-script.ts';
import type { QueryStartInput, TraceFailure } from '../../lib/proto/messages.ts';
import { EXIT } from '../exit.ts';
import { dryRunText } from './dry-run.ts';
import { createFormat, FORMATS, type FormatName } from './formats.ts';
import { PrintBuffer } from './print-buffer.ts';
import { linesOf, printEvents } from './print-events.ts';
import { ProgressBar } from './progress-bar.ts';

const PROGRESS_INTERVAL_MS = 250;

/** Failures of a lenient query that are printed individually; the rest is only counted. */
const FAILURES_SHOWN_MAX = 20;

interface QueryOptions extends OrchestratorFlags {
  traces?: string[];
  where?: string;
  sql?: string;
  summarySpec?: string;
  format: FormatName;
  lenient?: boolean;
  timeout?: number;
  engine?: string;
  dryRun?: boolean;
}

export function queryCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('query')
    .description('run one SQL script on many traces and print the rows')
    .option(
      '--traces <address...>',
      'trace addresses or patterns, such as /local/app.pftrace or "/local/**"; - reads them from stdin, one per line',
    )
    .option(
      '--where <expression>',
      'select traces by a ClickHouse expression over the catalog bigtrace.traces, such as "duration > 2e9"',
    )
    .option('--sql <sql>', 'script to run; @FILE reads it from FILE')
    .addOption(
      new Option(
        '--summary-spec <file>',
        'compute the metrics of a TraceSummarySpec (textproto file) instead of running a script',
      ).conflicts('sql'),
    )
    .addOption(new Option('--format <format>', 'output format').choices(FORMATS).default('table'));
  for (const option of orchestratorOptions(env)) command.addOption(option);
  return command
    .option('--lenient', 'continue when traces fail, and list them on stderr')
    .option('--timeout <time>', 'time limit, such as 30s or 10m', durationMs)
    .option(
      '--engine <name>',
      'engine to use, where the workers have several: its name or version, as `bigtrace status` shows them',
    )
    .option(
      '--dry-run',
      'run nothing: print how many traces there are, where their results would come from, and an estimate of the time',
    )
    .addHelpText('after', HELP)
    .action(async (options: QueryOptions) => {
      process.exitCode = await query(options);
    });
}

const HELP = `
Formats: csv and tsv print the column names first. json prints one object per line; integers beyond
2^53 - 1 are strings (so that no digit is lost) and blobs are base64.
Exit codes: 0 every trace succeeded, 1 the query failed, 2 usage error, 3 some traces failed (--lenient),
130 cancelled.`;

async function query(options: QueryOptions): Promise<number> {
  if (options.traces === undefined && options.where === undefined)
    throw new BigtraceError('invalid_option', 'no traces given; use --traces or --where');
  const terminal = new Terminal();
  const client = new OrchestratorClient(options.orchestrator, options);
  try {
    const start: QueryStartInput = {
      queryId: randomUUID(),
      sql: namingEngine(scriptOf(options), options.engine),
      onFailure: options.lenient ? 'LENIENT' : 'STRICT',
      limits: { timeoutMs: options.timeout ?? 0 },
      user: userName(),
      progressIntervalMs: process.stderr.isTTY ? PROGRESS_INTERVAL_MS : 0,
    };
    if (options.dryRun === true) {
      const estimate = await client.estimate(start, addresses(options), terminal.signal);
      console.log(dryRunText(estimate, (await client.status()).worker));
      return EXIT.ok;
    }
    await printEvents(client.query(start, addresses(options), terminal.signal), {
      format: createFormat(options.format),
      print: (bytes) => terminal.print(bytes),
      onProgress: (progress) => terminal.bar.draw(progress),
      onFailure: (failure) => terminal.reportFailure(failure),
    });
  } catch (thrown) {
    if (terminal.isGone) return EXIT.ok; // stdout was closed, as with `| head`: not an error
    throw thrown;
  } finally {
    terminal.end();
    client.close();
  }
  return terminal.failures > 0 ? EXIT.partial : EXIT.ok;
}

/**
 * The terminal of the user: prints rows, progress and failures, and cancels the query on a signal or when stdout is
 * closed.
 */
class Terminal {
  readonly bar = new ProgressBar();
  readonly #output = new PrintBuffer(process.stdout);
  readonly #abort = new AbortController();
  failures = 0;
  isGone = false;

  constructor() {
    // A second signal has its default effect and ends the process.
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => this.#abort.abort());
    process.stdout.on('error', () => {
      this.isGone = true;
      this.#abort.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async print(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.isGone) return;
    this.bar.clear();
    await this.#output.print(bytes, this.signal);
  }

  reportFailure({ trace, message }: TraceFailure): void {
    this.failures++;
    if (this.failures > FAILURES_SHOWN_MAX) return;
    this.bar.clear();
    process.stderr.write(`[${printable(textFromBytes(trace))}]: ${printable(message)}\n`);
  }

  end(): void {
    this.bar.clear();
    this.#output.flush();
    const notShown = this.failures - FAILURES_SHOWN_MAX;
    if (notShown > 0) process.stderr.write(`… and ${notShown} more traces failed\n`);
  }
}

/** @throws invalid_option if the script names an engine itself, or the name is malformed */
function namingEngine(sql: Buffer, engine: string | undefined): Buffer {
  if (engine === undefined) return sql;
  if (engineNamed(sql) !== undefined)
    throw new BigtraceError('invalid_option', '--engine: the script names an engine already');
  const named = withEngineNamed(sql, engine);
  engineNamed(named);
  return named;
}

function scriptOf({ sql, summarySpec }: QueryOptions): Buffer {
  if (summarySpec !== undefined)
    return Buffer.concat([Buffer.from(`${SUMMARIZE}\n`), fileOf('--summary-spec', summarySpec)]);
  if (sql === undefined)
    throw new BigtraceError('invalid_option', 'no script given; use --sql or --summary-spec');
  return sql.startsWith('@') ? fileOf('--sql', sql.slice(1)) : bytesFromText(sql);
}

function fileOf(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new BigtraceError('invalid_option', `${flag}: cannot read the file: ${String(error)}`);
  }
}

/** Streams the addresses, because a list on stdin may be larger than memory. */
async function* addresses({ traces = [], where }: QueryOptions): AsyncGenerator<Buffer[]> {
  const addressArguments = traces.filter((address) => address !== '-');
  const selected = where === undefined ? [] : [`/${WHERE_STORE}/${where}`];
  if (addressArguments.length + selected.length > 0)
    yield [...addressArguments, ...selected].map(bytesFromText);
  if (addressArguments.length < traces.length) yield* linesOf(process.stdin);
}

/** The name of the operating-system user, or the numeric ID if /etc/passwd has no entry. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
