/**
 * What ClickHouse executes, behind bigtrace.sh: `bigtrace query [--format TSV|CustomSeparated|Native] [--traces-fd N] [--view NAME]`,
 * `bigtrace schema --format RowBinary`,
 * `bigtrace failures`, `bigtrace progress`.
 * stdout is for rows; an error is one line on stderr, which ClickHouse makes the client's.
 */
import { closeSync, createReadStream, fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { asBigtraceError, BigtraceError } from '../lib/common/errors.ts';
import { clientCredentialsFromEnv } from '../lib/common/network/client-credentials.ts';
import { orchestratorVariable } from '../lib/common/options/orchestrator-variable.ts';
import { type QueryStreams, ROW_FORMATS, type RowFormat, runQuery } from './commands/query.ts';
import { runFailures, runProgress } from './commands/reports.ts';
import { runSchema } from './commands/schema.ts';
import { errorLine } from './error-line.ts';
import { OrchestratorClient } from './grpc/orchestrator.ts';
import { HEARTBEAT_REST } from './native/rows.ts';
import { END_MARK } from './tsv/end-mark.ts';

const DEFAULT_ORCHESTRATOR = '127.0.0.1:5051';

/** The one that executes this. */
const DEFAULT_CLICKHOUSE = 'http://127.0.0.1:8123';

/** Said, so that a function whose definition is of an earlier version is refused. */
const SCHEMA_OPTIONS = '--format RowBinary';

const USAGE =
  'usage: bigtrace query [--format TSV|CustomSeparated|Native] [--traces-fd N] [--view NAME] | bigtrace schema --format RowBinary | bigtrace failures | bigtrace progress';

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const variable = orchestratorVariable(process.env);
  const address = process.env[variable] || DEFAULT_ORCHESTRATOR;
  const client = new OrchestratorClient(address, variable, clientCredentialsFromEnv(process.env));
  const { stdin, stdout } = process;
  if (command === 'schema' && rest.join(' ') === SCHEMA_OPTIONS) {
    const clickHouse = {
      url: process.env['BIGTRACE_CLICKHOUSE_HTTP'] || DEFAULT_CLICKHOUSE,
      // The text of a hash that ClickHouse has in its environment, and so what it executes.
      password: process.env['BIGTRACE_SERVICE_PASSWORD_SHA256'] ?? '',
      pid: process.env['BIGTRACE_CLICKHOUSE_PID'] || `${process.ppid}`,
    };
    await runSchema(client, { stdin, stdout }, report, clickHouse);
  } else if (command === 'failures' && rest.length === 0) await runFailures(client, stdout);
  else if (command === 'progress' && rest.length === 0) await runProgress(client, stdout);
  else if (command === 'query') {
    const options = queryOptions(rest);
    await runQuery(client, { stdin, stdout, onReached: leaveGate, ...options });
  } else throw new BigtraceError('invalid_option', USAGE);
}

/** Lets the next bridge start: bigtrace.sh holds a lock by this descriptor until it is closed. */
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
  // A pipe is read without a thread: one that waits for a silent pipe would keep the process from its end.
  return fstatSync(fd).isFile()
    ? createReadStream('', { fd })
    : new Socket({ fd, writable: false });
}

function report(error: unknown): void {
  writeSync(2, errorLine(asBigtraceError(error)));
}

/** The reader is gone: there is nobody to tell. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

let failed = false;

function fail(error: unknown): void {
  if (failed) return;
  failed = true;
  if (isBrokenPipe(error)) process.exit(1);
  report(error);
  // ClickHouse looks at stderr when it has read the rows, so these must end as they should.
  process.stdout.write(rowsEnd(process.argv.slice(2)), () => process.exit(1));
}

function rowsEnd([command, ...options]: string[]): Uint8Array {
  if (command !== 'query' || options.includes('CustomSeparated')) return END_MARK;
  return options.includes('Native') ? HEARTBEAT_REST : new Uint8Array();
}

process.on('uncaughtException', fail);
main(process.argv.slice(2)).then(() => process.exit(0), fail);
