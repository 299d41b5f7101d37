import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TraceSources } from '../../lib/proto/messages.ts';
import { startFileServer } from '../../lib/trace-store/testing/file-server.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { runScript, sharingWorker } from '../testing/worker.ts';

const GZIP = '/local/recorded/linux/gzip-cpu.pftrace';
const BYTES = statSync(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace')).size;
const TEXT = '/local/bad/text.txt';
const SQL = 'SELECT count(*) FROM sched';
const named = (trace: string) => ({ address: Buffer.from(trace) });

const NONE: TraceSources = {
  ...{ remembered: 0, loaded: 0, restored: 0, parsed: 0, failed: 0, traceBytes: 0, parsedBytes: 0 },
};

test('a worker says where results would come from, and runs nothing', async () => {
  await using worker = await sharingWorker({ threads: 1 });
  const { client } = worker;
  const before = { ...NONE, parsed: 1, traceBytes: BYTES, parsedBytes: BYTES };
  expect(await client.sources(SQL, named(GZIP))).toEqual(before);
  const { counters } = await client.status();
  expect(counters).toMatchObject({ tasks_done: 0, tasks_failed: 0, store_local_reads: 0 });
  expect(await runScript(worker, GZIP, SQL)).toEqual([2547n, 'parse']);
  const after = { ...NONE, traceBytes: BYTES };
  expect(await client.sources(SQL, named(GZIP))).toEqual({ ...after, remembered: 1 });
  expect(await client.sources('SELECT 1', named(GZIP))).toEqual({ ...after, loaded: 1 });
  expect(await client.sources('SELECT random()', named(GZIP))).toEqual({ ...after, loaded: 1 });
  expect((await client.status()).counters).toMatchObject({ tasks_done: 1, store_local_reads: 1 });
});

test('a listed trace is not looked up; another generation is another trace', async () => {
  await using worker = await sharingWorker({ threads: 1 });
  const { client } = worker;
  const listed = { ...named(GZIP), generation: 'other', size: 7 };
  const all = await client.sources(SQL, listed, { ...listed, size: 3 }, named('/local/nowhere'));
  expect(all).toEqual({ ...NONE, parsed: 2, failed: 1, traceBytes: 10, parsedBytes: 10 });
  expect((await client.status()).counters['store_local_stats']).toBe(1);
});

test('each of many named traces in a store of a network is looked up', async () => {
  const server = await startFileServer();
  try {
    server.files.set('/a', Buffer.alloc(5));
    const stores = { http: { hosts: [server.host], allowPrivate: true } };
    await using worker = await sharingWorker({ threads: 1, stores });
    const traces = Array.from({ length: 300 }, () => named(`/http/${server.host}/a`));
    const all = await worker.client.sources(SQL, ...traces);
    expect(all).toEqual({ ...NONE, parsed: 300, traceBytes: 1500, parsedBytes: 1500 });
  } finally {
    await server.close();
  }
});

test('a barred trace is counted as failed, and no task as barred', async () => {
  await using worker = await sharingWorker({ threads: 1 });
  expect(await runScript(worker, TEXT, SQL)).toEqual([undefined, 'trace_invalid']);
  expect(await worker.client.sources(SQL, named(TEXT))).toEqual({ ...NONE, failed: 1 });
  expect((await worker.client.status()).counters['barred_tasks']).toBe(0);
});

test('the bytes of a trace that was parsed are counted also if the script fails, as the time is', async () => {
  await using worker = await sharingWorker({ threads: 1 });
  expect(await runScript(worker, GZIP, 'SELECT nope')).toEqual([undefined, 'sql_failed']);
  const { counters } = await worker.client.status();
  expect(counters).toMatchObject({ tier_parse: 0, trace_bytes: BYTES });
  expect(counters['parse_ms']).toBeGreaterThan(0);
});

test('a script that names another engine is refused', async () => {
  await using worker = await sharingWorker({ threads: 1 });
  await expect(
    worker.client.sources('/* bigtrace: engine=v1 */ SELECT 1', named(GZIP)),
  ).rejects.toThrow(/v1/);
});
