/**
 * The program that ClickHouse executes through bigtrace.sh:
 * `bigtrace query [--format TSV|CustomSeparated|Native] [--traces-fd N] [--view NAME]`,
 * `bigtrace schema --format RowBinary`, `bigtrace failures`, `bigtrace progress`.
 * stdout has rows only. An error is one line on stderr, which ClickHouse passes to the client.
 */
import { closeSync, createReadStream, fstatSync, readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError, BigtraceError } from '../lib/common/errors.ts';
import { clientCredentialsFromEnv } from '../lib/common/network/client-credentials.ts';
import { orchestratorVariable } from '../lib/common/options/orchestrator-variable.ts';
import { type QueryStreams, ROW_FORMATS, type RowFormat, runQuery } from './commands/query.ts';
import { errorLine } from './error-line.ts';
import { BridgeClient, connector } from './grpc/bridge-client.ts';
import { HEARTBEAT_REST } from './native/rows.ts';
import { END_MARK } from './tsv/end-mark.ts';

const DEFAULT_ORCHESTRATOR = '127.0.0.1:5051';

/** URL of the ClickHouse that executes the bridge. */
const DEFAULT_CLICKHOUSE = 'http://127.0.0.1:8123';

/** Required, so that a function definition of an earlier version, which lacks it, is rejected. */
const SCHEMA_OPTIONS = '--format RowBinary';

const USAGE =
  'usage: bigtrace query [--format TSV|CustomSeparated|Native] [--traces-fd N] [--view NAME] | bigtrace schema --format RowBinary | bigtrace failures | bigtrace progress';

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const variable = orchestratorVariable(process.env);
  const address = process.env[variable] || DEFAULT_ORCHESTRATOR;
  const client = new BridgeClient(
    connector(address, variable, clientCredentialsFromEnv(process.env)),
  );
  if (command === 'schema' && rest.join(' ') === SCHEMA_OPTIONS) {
    const { runSchema } = await import('./commands/schema.ts');
    const clickHouse = {
      url: process.env['BIGTRACE_CLICKHOUSE_HTTP'] || DEFAULT_CLICKHOUSE,
      // The text of this hash is the password of the user bigtrace_bridge; ClickHouse passes its environment on.
      password: process.env['BIGTRACE_SERVICE_PASSWORD_SHA256'] ?? '',
      pid: process.env['BIGTRACE_CLICKHOUSE_PID'] || `${process.ppid}`,
    };
    await runSchema(client, process, report, clickHouse);
  } else if ((command === 'failures' || command === 'progress') && rest.length === 0) {
    const { runFailures, runProgress } = await import('./commands/reports.ts');
    await (command === 'failures' ? runFailures : runProgress)(client, process.stdout);
  } else if (command === 'query') {
    const options = queryOptions(rest);
    client.connectEarly();
    // Set where several orchestrators are behind one name, for the orchestrators themselves.
    const mayRepeat = Boolean(process.env['BIGTRACE_PEERS']);
    const { stdout } = process;
    const streams = { stdin: chunksOf(0), stdout, ...options };
    await runQuery(client, { ...streams, onReached: leaveGate, mayRepeat });
  } else throw new BigtraceError('invalid_option', USAGE);
}

/** Yields what it reads from a descriptor. It blocks, because the request arrives sooner than a stream would start. */
async function* chunksOf(fd: number): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    try {
      const bytes = readSync(fd, chunk);
      if (bytes === 0) return;
      yield chunk.subarray(0, bytes);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await sleep(1);
    }
  }
}

/** Lets the next bridge start, by closing the descriptor that holds the lock of bigtrace.sh. */
function leaveGate(): void {
  const fd = Number(process.env['BIGTRACE_GATE_FD'] ?? 0);
  delete process.env['BIGTRACE_GATE_FD'];
  if (fd > 2) closeSync(fd);
}

function queryOptions(args: readonly string[]): Pick<QueryStreams, 'format' | 'traces' | 'view'> {
  let format: RowFormat | undefined = 'TSV';
  let traces: Readable | undefined;
  let view: string | undefined;
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    if (args[at] === '--format') format = ROW_FORMATS.find((name) => name === value);
    else if (args[at] === '--view' && value !== undefined) view = value;
    else if (args[at] === '--traces-fd') traces = tracesOf(Number(value));
    else throw new BigtraceError('invalid_option', USAGE);
  }
  if (format === undefined) throw new BigtraceError('invalid_option', USAGE);
  return { format, traces, view };
}

function tracesOf(fd: number): Readable {
  if (!Number.isInteger(fd) || fd < 3) throw new BigtraceError('invalid_option', USAGE);
  // A Socket reads a pipe without a thread. A thread that waits for a silent pipe would keep the process from ending.
  return fstatSync(fd).isFile()
    ? createReadStream('', { fd })
    : new Socket({ fd, writable: false });
}

function report(error: unknown): void {
  writeSync(2, errorLine(asBigtraceError(error)));
}

/** Whether the reader has closed the pipe, so that nobody could read an error. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

let failed = false;

function fail(error: unknown): void {
  if (failed) return;
  failed = true;
  if (isBrokenPipe(error)) process.exit(1);
  report(error);
  // ClickHouse reads stderr after the rows, so these must end correctly.
  process.stdout.write(rowsEnd(process.argv.slice(2)), () => process.exit(1));
}

function rowsEnd([command, ...options]: string[]): Uint8Array {
  if (command !== 'query' || options.includes('CustomSeparated')) return END_MARK;
  return options.includes('Native') ? HEARTBEAT_REST : new Uint8Array();
}

process.on('uncaughtException', fail);
main(process.argv.slice(2)).then(() => process.exit(0), fail);
