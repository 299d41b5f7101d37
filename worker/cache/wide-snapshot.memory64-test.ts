/** Snapshots of traces in 64-bit memory, and scripts that change the engine's state. */
import { randomFillSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { engineFilesIn } from '../../lib/engine/engine-choice.ts';
import { field, message } from '../../test/corpus/proto.ts';
import { fetchEngineV52 } from '../../tools/test-run/engine-v52.mjs';
import { LIMIT_DEFAULTS } from '../config.ts';
import { counter, runScript, tempDir, testWorker } from '../testing/worker.ts';

const GIB = 2 ** 30;
const TRACE = '/local/padded.pftrace.gz';

/** A small trace with so much padding that it is expected to need more than 4 GiB. */
function paddedTrace(): Buffer {
  const slice = (type: number, ts: number): Buffer =>
    message(
      1,
      field(8, ts),
      field(10, 1),
      message(11, field(9, type), field(11, 2), field(23, 'a')),
    );
  const padding = Array.from({ length: 130 }, () =>
    message(1, field(1000, randomFillSync(Buffer.alloc(1e6)))),
  );
  return gzipSync(Buffer.concat([slice(1, 1000), slice(2, 1005), ...padding]), { level: 0 });
}

test('a trace in 64-bit memory keeps its state, and is restored from its snapshot', async () => {
  await using directory = await tempDir();
  writeFileSync(join(directory.path, 'padded.pftrace.gz'), paddedTrace());
  const config = {
    stores: { localRoot: directory.path },
    engine: engineFilesIn(await fetchEngineV52()),
    memoryBytesMax: 6 * GIB,
    limits: { ...LIMIT_DEFAULTS, memoryBytesMax: 6 * GIB },
    cacheDir: join(directory.path, 'cache'),
  };
  const worker = await testWorker(config);
  const compile = vi.spyOn(WebAssembly, 'compile');
  expect(await runScript(worker, TRACE, 'SELECT dur FROM slice')).toEqual([5n, 'parse']);
  // A thread of its own loads the engine with 64-bit memory: the main thread would answer nobody for a second.
  expect(compile).not.toHaveBeenCalled();
  const created = (at: number): string =>
    `CREATE PERFETTO TABLE t AS SELECT ${at} AS x; SELECT x FROM t`;
  expect(await runScript(worker, TRACE, created(7))).toEqual([7n, 'loaded']);
  expect(await runScript(worker, TRACE, created(8))).toEqual([8n, 'loaded']);
  while ((await counter(worker, 'snapshots_written')) === 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const { engine } = await worker.client.status();
  await worker[Symbol.asyncDispose]();
  const [snapshot = ''] = readdirSync(config.cacheDir).filter((name) => name.endsWith('.image'));
  const head = readFileSync(join(config.cacheDir, snapshot)).toString('latin1', 0, 4096);
  const [, identity = ''] = /"engine":"([0-9a-f]{64})"/.exec(head) ?? [];
  expect(identity).toMatch(/^[0-9a-f]{64}$/);
  expect(engine).not.toContain(identity); // it is the other engine's
  await using restarted = await testWorker(config);
  expect(await runScript(restarted, TRACE, 'SELECT dur + 0 FROM slice')).toEqual([5n, 'snapshot']);
  expect(await runScript(restarted, TRACE, created(9))).toEqual([9n, 'loaded']);
  expect(await counter(restarted, 'snapshots_unusable')).toBe(0);
});
