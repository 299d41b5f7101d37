/** For tests: the bridge as ClickHouse runs it, and an orchestrator that answers what the test says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { build } from 'esbuild';
import type {
  QueryRequest,
  QueryResponse,
  SchemaRequest,
  SchemaResponse,
} from '../proto/messages.ts';
import { bigtraceOrchestrator, GRPC_OPTIONS } from '../proto/services.ts';

/** Builds the bridge; returns the path of the script beside it. */
export async function buildBridge(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-bridge-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    outfile: join(directory, 'bridge.cjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  });
  const script = join(directory, 'bigtrace');
  copyFileSync(join(import.meta.dirname, 'bigtrace.sh'), script);
  return script;
}

export type QueryStream = grpc.ServerDuplexStream<QueryRequest, QueryResponse>;

export interface Stub {
  query?: (call: QueryStream) => void;
  schema?: (request: SchemaRequest) => Promise<SchemaResponse>;
}

export interface StubServer {
  address: string;
  server: grpc.Server;
}

export async function startStub(
  stub: Stub,
  toError: (error: unknown) => grpc.ServerErrorResponse,
  port = 0,
): Promise<StubServer> {
  const server = new grpc.Server(GRPC_OPTIONS);
  const unused: grpc.handleUnaryCall<unknown, unknown> = (_, done) =>
    done({ code: grpc.status.UNIMPLEMENTED, details: 'not stubbed' });
  server.addService(bigtraceOrchestrator, {
    Query: (call: QueryStream) => (stub.query ?? (() => {}))(call),
    Schema: (
      call: grpc.ServerUnaryCall<SchemaRequest, SchemaResponse>,
      done: grpc.sendUnaryData<SchemaResponse>,
    ) => {
      stub.schema?.(call.request).then(
        (response) => done(null, response),
        (error: unknown) => done(toError(error)),
      );
    },
    List: unused,
    Status: unused,
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, found) => (error === null ? resolve(found) : reject(error)),
    );
  });
  return { address: `127.0.0.1:${bound}`, server };
}

export interface Run {
  child: ChildProcess;
  /** What has come so far. */
  stdout: () => Buffer;
  stderr: () => string;
  /** Resolves with the exit code (or the signal's name) when all has come. */
  ended: Promise<number | string>;
}

export function runBridge(
  script: string,
  args: readonly string[],
  {
    orchestrator,
    traces = false,
    env = {},
  }: { orchestrator: string; traces?: boolean; env?: NodeJS.ProcessEnv },
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
  child.stdin?.on('error', () => {}); // a bridge that is gone
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
