/** For tests: runs the bridge as ClickHouse does, against an orchestrator whose responses the test defines. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import * as grpc from '@grpc/grpc-js';
import { build } from 'esbuild';
import { afterEach, beforeAll } from 'vitest';
import { toServiceError } from '../lib/common/grpc-errors.ts';
import type {
  FailuresResponseInput,
  LearnRequest,
  OrchestratorStatusInput,
  QueryRequest,
  QueryResponseInput,
  SchemaRequest,
  SchemaResponseInput,
} from '../lib/proto/messages.ts';
import { BigtraceOrchestrator, GRPC_OPTIONS } from '../lib/proto/services.ts';
import type { CellValue } from '../lib/query-result/index.ts';
import { encodeTable } from '../lib/query-result/testing.ts';
import { esbuildWat } from '../tools/build/wat.mjs';
import { lengthAndBytes } from './native/encoding.ts';

/** Builds the bridge as tools/build/build.mjs does, without the code cache. Returns the path of the script. */
async function buildBridge(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-bridge-'));
  await build({
    entryPoints: {
      bridge: join(import.meta.dirname, 'load.ts'),
      'bridge-main': join(import.meta.dirname, 'main.ts'),
    },
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.dirname': '__dirname' },
    supported: { 'dynamic-import': false },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    plugins: [esbuildWat],
  });
  const script = join(directory, 'bigtrace');
  copyFileSync(join(import.meta.dirname, 'bigtrace.sh'), script);
  return script;
}

export type QueryStream = grpc.ServerDuplexStream<QueryRequest, QueryResponseInput>;

export type FailuresStream = grpc.ServerWritableStream<object, FailuresResponseInput>;

export interface Stub {
  query?: (call: QueryStream) => void;
  /** @param cancelled aborted when the client cancels the call */
  schema?: (request: SchemaRequest, cancelled: AbortSignal) => Promise<SchemaResponseInput>;
  learn?: (request: LearnRequest) => unknown;
  failures?: (call: FailuresStream) => void;
  status?: () => OrchestratorStatusInput;
}

export interface StubServer {
  address: string;
  server: grpc.Server;
}

export async function startStub(stub: Stub, port = 0): Promise<StubServer> {
  const server = new grpc.Server(GRPC_OPTIONS);
  const unused: grpc.handleUnaryCall<unknown, unknown> = (_, done) =>
    done({ code: grpc.status.UNIMPLEMENTED, details: 'not stubbed' });
  server.addService(BigtraceOrchestrator.service, {
    Query: (call: QueryStream) => (stub.query ?? (() => {}))(call),
    Schema: (
      call: grpc.ServerUnaryCall<SchemaRequest, SchemaResponseInput>,
      done: grpc.sendUnaryData<SchemaResponseInput>,
    ) => {
      const cancelled = new AbortController();
      call.on('cancelled', () => cancelled.abort());
      stub.schema?.(call.request, cancelled.signal).then(
        (response) => done(null, response),
        (error: unknown) => done(toServiceError(error)),
      );
    },
    Learn: (call: grpc.ServerUnaryCall<LearnRequest, object>, done: grpc.sendUnaryData<object>) => {
      void Promise.resolve(stub.learn?.(call.request)).then(() => done(null, {}));
    },
    Failures: (call: FailuresStream) => (stub.failures ?? (() => {}))(call),
    List: unused,
    Status: (_: object, done: grpc.sendUnaryData<OrchestratorStatusInput>) =>
      done(null, stub.status?.() ?? {}),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, boundPort) => (error === null ? resolve(boundPort) : reject(error)),
    );
  });
  return { address: `127.0.0.1:${bound}`, server };
}

export interface Run {
  child: ChildProcess;
  /** The output so far. */
  stdout: () => Buffer;
  stderr: () => string;
  /** Resolves with the exit code (or the name of the signal) when the process and its output have ended. */
  ended: Promise<number | string>;
}

export interface RunOptions {
  orchestrator: string;
  /** Whether the bridge gets descriptor 3 as a pipe. */
  traces?: boolean;
  env?: NodeJS.ProcessEnv;
}

function runBridge(
  script: string,
  args: readonly string[],
  { orchestrator, traces = false, env = {} }: RunOptions,
): Run {
  const child = spawn('sh', [script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', ...(traces ? ['pipe' as const] : [])],
    // biome-ignore lint/style/noProcessEnv: the script finds node by PATH
    env: { ...process.env, BIGTRACE_ORCHESTRATOR: orchestrator, ...env },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  for (const stream of [child.stdin, child.stdio[3]]) stream?.on('error', () => {}); // the bridge may have exited
  (child.stdio[3] as Readable | undefined)?.resume(); // without this, 'close' is not emitted
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? ''));
  });
  return {
    child,
    stdout: () => Buffer.concat(stdout),
    stderr: () => Buffer.concat(stderr).toString(),
    ended,
  };
}

/** A request row of `bigtrace query` in TSV: column `n` of two traces. */
export const ROW =
  "['/local/a','/local/b']\tSELECT n\tq1\tanalyst\tstrict\t_hb UInt8, _trace_address String, n Int64\n";

/** A request row of `bigtrace schema` in RowBinary, as ClickHouse writes it. */
export function schemaRow(
  traces: readonly string[],
  sql: string,
  [onFailure, purpose]: [string, string],
): Buffer {
  const texts = [...traces, sql, 'q', 'u', onFailure, purpose];
  return Buffer.concat([
    Buffer.of(traces.length),
    ...texts.map((text) => lengthAndBytes(Buffer.from(text))),
  ]);
}

/** An event with all rows of one trace. */
export function rowsEvent(trace: string, cells: CellValue[]) {
  const [result = Buffer.of()] = encodeTable({
    names: ['n'],
    cells,
    batchCells: cells.length,
    resultBatches: 1,
  });
  return { rows: { trace: Buffer.from(trace), result, last: true } };
}

export function withoutHeartbeats(stdout: Buffer): string {
  return stdout.toString().replace(/^1\t.*\n/gm, '');
}

/** Registers the hooks of a test file that runs bridges against stubs. What a test starts is stopped after it. */
export function bridgeTests() {
  let script = '';
  const stops: (() => void)[] = [];
  beforeAll(async () => {
    script = await buildBridge();
  });
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });
  const start = async (stub: Stub, port = 0): Promise<StubServer> => {
    const started = await startStub(stub, port);
    stops.push(() => started.server.forceShutdown());
    return started;
  };
  const run = (args: string[], options: RunOptions): Run => {
    const started = runBridge(script, args, options);
    stops.push(() => started.child.kill('SIGKILL'));
    return started;
  };
  /** Runs a query against `stub`, and returns its stderr and exit code. */
  const failure = async (
    stub: Stub,
    row = ROW,
    args: string[] = [],
  ): Promise<{ stderr: string; code: number | string }> => {
    const { address } = await start(stub);
    const bridge = run(['query', ...args], { orchestrator: address });
    bridge.child.stdin?.end(row);
    const code = await bridge.ended;
    return { stderr: bridge.stderr(), code };
  };
  return { start, run, failure, directory: () => dirname(script) };
}
