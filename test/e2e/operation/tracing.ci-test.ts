/** Tests of OpenTelemetry spans with orchestrator and worker processes, real traces and an OTLP receiver. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtraceOrchestrator, GRPC_OPTIONS } from '../../../lib/proto/services.ts';
import { type ReceivedSpan, startReceiver } from '../../harness/otlp-receiver.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Service {
  address: string;
  stderr(): string;
  /** Sends SIGTERM and returns the exit code. */
  end(): Promise<number | null>;
}

async function start(name: string, flags: string[], env: NodeJS.ProcessEnv = {}): Promise<Service> {
  const args = [join(ROOT, 'cli/bigtrace.mjs'), name, '--json', '-s', '127.0.0.1:0', ...flags];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    address: (JSON.parse(line) as { address: string }).address,
    stderr: () => stderr,
    end: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}

async function runQuery(address: string, traces: string[], traceparent?: string): Promise<void> {
  const client = new BigtraceOrchestrator(address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const metadata = new grpc.Metadata();
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  const call = client.Query(metadata);
  const sql = Buffer.from('SELECT count(*) AS n FROM sched');
  const start = { queryId: 'asked', sql, user: 'ann', onFailure: 'LENIENT' as const };
  call.write({ start: { ...start, progressIntervalMs: 0 } });
  call.write({ traces: { address: traces.map((trace) => Buffer.from(trace)) } });
  call.end();
  call.resume();
  try {
    await once(call, 'end');
  } finally {
    client.close();
  }
}

test('a query has a span below the client’s, and each trace has a span below the query’s', async () => {
  await using receiver = await startReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const traces = join(ROOT, 'samples/traces');
  const worker = await start('worker', ['--threads', '1', '--traces', traces], env);
  const orchestrator = await start('orchestrator', ['-l', worker.address], env);
  const [traceId, parentId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const [idle, compile, none] = ['idle', 'compile-c', 'none'].map(
    (name) => `/local/linux/${name}.pftrace`,
  ) as [string, string, string];
  await runQuery(orchestrator.address, [idle, compile, none], `00-${traceId}-${parentId}-01`);
  expect([await orchestrator.end(), await worker.end()]).toEqual([0, 0]);

  expect(receiver.spans.map((span) => span.traceId)).toEqual(Array(4).fill(traceId));
  const [query] = receiver.spans.filter(({ name }) => name === 'bigtrace.query');
  expect(query).toMatchObject({ service: 'bigtrace-orchestrator', parent: parentId });
  expect(query?.error).toBeUndefined();
  expect(query?.attributes).toEqual({
    'bigtrace.query.id': 'asked',
    'bigtrace.user': 'ann',
    'bigtrace.traces': 3,
    'bigtrace.traces.done': 2,
    'bigtrace.traces.failed': 1,
    'bigtrace.rows': 2,
    'bigtrace.result_bytes': expect.any(Number),
    'bigtrace.trace_bytes': 211508 + 158434,
    'bigtrace.core_ms': expect.any(Number),
  });
  const ofTrace = (trace: string): ReceivedSpan | undefined => {
    const found = receiver.spans.find(({ attributes }) => attributes['bigtrace.trace'] === trace);
    expect(found).toMatchObject({
      ...{ service: 'bigtrace-worker', name: 'bigtrace.trace', parent: query?.spanId },
    });
    expect(found?.tookMs).toBeLessThanOrEqual(query?.tookMs ?? 0);
    return found;
  };
  for (const [trace, bytes] of [
    [idle, 211508],
    [compile, 158434],
  ] as const) {
    const span = ofTrace(trace);
    expect(span?.error).toBeUndefined();
    expect(span?.attributes).toEqual({
      'bigtrace.query.id': 'asked',
      'bigtrace.trace': trace,
      'bigtrace.tier': 'parse',
      'bigtrace.load_ms': expect.any(Number),
      'bigtrace.query_ms': expect.any(Number),
      'bigtrace.rows': 1,
      'bigtrace.trace_bytes': bytes,
    });
    expect(span?.attributes['bigtrace.load_ms']).toBeGreaterThan(0);
  }
  const failed = ofTrace(none);
  expect(failed?.error).toBe('the trace does not exist');
  expect(failed?.attributes).toEqual({
    'bigtrace.query.id': 'asked',
    'bigtrace.trace': none,
    'error.type': 'trace_not_found',
  });
});

test('an unreachable receiver delays neither a query nor the shutdown', async () => {
  const flags = ['-l', '127.0.0.1:9', '--worker-wait', '0s'];
  const service = await start('orchestrator', [...flags, '--otlp-endpoint', 'http://127.0.0.1:9']);
  await expect(runQuery(service.address, ['/local/a'])).rejects.toThrow('no worker');
  expect(await service.end()).toBe(0);
  expect(service.stderr()).toContain('cannot send spans');
});

test('a worker refuses an --otlp-endpoint that is not a URL', async () => {
  const args = [join(ROOT, 'cli/bigtrace.mjs'), 'worker', '--otlp-endpoint', 'collector:4317'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  expect((await once(child, 'close'))[0]).toBe(2);
  expect(stderr).toContain('--otlp-endpoint');
  expect(stderr).toContain('it must be a URL, such as http://127.0.0.1:4318.');
});
