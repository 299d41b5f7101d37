import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import type { SourcesRequest, TraceSourcesInput } from '../../lib/proto/messages.ts';
import { TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);

/** A worker that would parse all traces, 10 bytes each, and remembers which ones it was asked about. */
function parsing(): { asked: string[]; sources: (request: SourcesRequest) => TraceSourcesInput } {
  const asked: string[] = [];
  const sources = ({ trace }: SourcesRequest): TraceSourcesInput => {
    asked.push(...trace.map(({ address }) => address.toString()));
    const bytes = 10 * trace.length;
    return { parsed: trace.length, traceBytes: bytes, parsedBytes: bytes };
  };
  return { asked, sources };
}

const NONE = {
  ...{ remembered: 0, loaded: 0, restored: 0, parsed: 0, failed: 0, traceBytes: 0, parsedBytes: 0 },
};

test('an estimate asks the worker that a query would use first for each trace, and runs nothing', async () => {
  const [first, second] = [parsing(), parsing()];
  const workers = [first, second].map(({ sources }) => ({ sources, list: () => traces(3000) }));
  await using system = await new TestSystem(workers).start();
  const estimate = await system.estimate(['/local/**', '/local/t1']);
  const all = { ...NONE, parsed: 3000, traceBytes: 30_000, parsedBytes: 30_000 };
  expect(estimate).toEqual({ sources: all, unknown: 0 });
  expect([...first.asked, ...second.asked].sort()).toEqual(traces(3000).sort());
  expect(system.workers.flatMap(({ seen }) => seen)).toEqual([]);
  // Each alone: of several that prefer the same worker, another one would get some.
  for (const trace of traces(4)) await system.query([trace]);
  for (const [at, { asked }] of [first, second].entries())
    expect(asked).toEqual(expect.arrayContaining(system.workers[at]?.seen ?? []));
});

test('traces of a worker of an earlier version are counted as unknown', async () => {
  await using system = await new TestSystem([{}]).start();
  expect(await system.estimate(traces(5))).toEqual({ sources: NONE, unknown: 5 });
});

test('a wrong address ends a strict estimate, and is counted by a lenient one', async () => {
  const { sources } = parsing();
  await using system = await new TestSystem([{ sources, list: () => [] }]).start();
  const wrong = ['/local/none*', '/local/a'];
  await expect(system.estimate(wrong)).rejects.toThrow(/the pattern matches no trace/);
  expect(await system.estimate(wrong, { onFailure: 'LENIENT' })).toMatchObject({
    sources: { parsed: 1, failed: 1 },
  });
  await expect(system.estimate(['/local/a'], { sql: Buffer.of() })).rejects.toThrow(/no SQL/);
});

test('when its client leaves, workers are asked no more', async () => {
  const happened = new EventEmitter();
  const [asked, left] = [once(happened, 'asked'), once(happened, 'left')];
  const sources = (_: SourcesRequest, signal: AbortSignal): undefined => {
    signal.addEventListener('abort', () => happened.emit('left'));
    happened.emit('asked');
  };
  await using system = await new TestSystem([{ sources }]).start();
  const client = new OrchestratorClient(system.orchestrator?.address ?? '', {});
  const stop = new AbortController();
  const estimate = client.estimate(
    { sql: Buffer.from('SELECT 1') },
    [[Buffer.from('/local/a')]],
    stop.signal,
  );
  await asked;
  stop.abort();
  await expect(estimate).rejects.toThrow('the call was cancelled');
  await left; // long before the worker's time is over
  client.close();
});

test('a failed estimate reads no more addresses', async () => {
  await using system = await new TestSystem([
    { sources: parsing().sources, list: () => [] },
  ]).start();
  const client = new OrchestratorClient(system.orchestrator?.address ?? '', {});
  const happened = new EventEmitter();
  const [failed, ended] = [once(happened, 'failed'), once(happened, 'ended')];
  let reads = 0;
  const addresses = async function* (): AsyncGenerator<Buffer[]> {
    try {
      yield [Buffer.from('/local/none*')];
      await failed;
      for (; reads < 5; reads++) yield [Buffer.from('/local/a')];
    } finally {
      happened.emit('ended');
    }
  };
  const { signal } = new AbortController();
  const estimate = client.estimate(
    { sql: Buffer.from('SELECT 1'), onFailure: 'STRICT' },
    addresses(),
    signal,
  );
  await expect(estimate).rejects.toThrow(/the pattern matches no trace/);
  happened.emit('failed');
  await ended;
  expect(reads).toBe(0);
  client.close();
});
