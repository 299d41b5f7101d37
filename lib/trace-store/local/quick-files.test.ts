import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { threadBundle } from '../../common/testing/thread-bundle.ts';
import type { TraceStat } from '../trace-store.ts';
import { localStore } from './local-store.ts';
import { QuickFiles } from './quick-files.ts';

const FILE_THREAD = threadBundle(join(import.meta.dirname, 'file-thread.ts'));

let root: string;
let quick: QuickFiles | undefined;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'bigtrace-quick-'));
  for (let n = 0; n < 100; n++) writeFileSync(join(root, `trace${n}`), `bytes of ${n}`);
});
afterEach(() => quick?.close());
afterAll(() => rmSync(root, { recursive: true }));

/** Asks until the thread gives an answer: it has started then, and is not late. */
async function answered<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    await setImmediate();
  }
}

async function startedQuick(entry: URL): Promise<QuickFiles> {
  const files = new QuickFiles(entry, [root, root]);
  quick = files;
  await answered(() => files.stat('trace99'));
  return files;
}

test('the thread gives the stat that the store gives', async () => {
  const files = await startedQuick(await FILE_THREAD);
  const expected = await localStore({ root }).stat('trace7');
  expect(expected).toMatchObject({ size: 10, modifiedMs: Math.floor(mtimeMs('trace7')) });
  expect(await answered(() => files.stat('trace7'))).toEqual(expected);
  expect(await answered(() => files.statEntry(join(root, 'trace7')))).toEqual(expected);
});

function mtimeMs(name: string): number {
  return statSync(join(root, name)).mtimeMs;
}

test('each of many requests at once gets its own answer', async () => {
  const files = await startedQuick(await FILE_THREAD);
  const bytes = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const path = `trace${n}`;
      const { generation } = await answered(() => files.stat(path));
      return Buffer.concat(await answered(() => files.read(path, generation))).toString();
    }),
  );
  expect(bytes).toEqual(Array.from({ length: 100 }, (_, n) => `bytes of ${n}`));
});

test('what fails in the thread is left to the caller', async () => {
  const files = await startedQuick(await FILE_THREAD);
  const { generation } = await answered(() => files.stat('trace1'));
  expect(await files.stat('missing')).toBeUndefined();
  expect(await files.stat('../outside')).toBeUndefined();
  expect(await files.stat('.')).toBeUndefined();
  expect(await files.statEntry('/dev/null')).toBeUndefined();
  expect(await files.read('trace2', generation)).toBeUndefined();
});

/** A thread that answers requests for `trace99` at once, and does `otherwise` with other ones. */
function stubThread(otherwise: string): URL {
  return new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ number: 0, items: [] });
      parentPort.on('message', ({ number, items }) => {
        const answers = items.map(() => ({ size: 1, generation: 'g', modifiedMs: 0 }));
        const answer = () => parentPort.postMessage({ number, items: answers });
        if (items[0].path === 'trace99') answer();
        else ${otherwise};
      });
    `)}`,
  );
}

test.each([
  ['hangs', stubThread('{}')],
  ['ends', stubThread('process.exit(1)')],
])('if the thread %s, the callers are told, and nobody waits for it again', async (_, entry) => {
  const files = await startedQuick(entry);
  const asked = Array.from({ length: 40 }, (_, n) => files.stat(`trace${n}`));
  expect(await Promise.all(asked)).toEqual(asked.map(() => undefined));
  let waited = true;
  const again = files.stat('trace1').then((stat?: TraceStat) => {
    waited = false;
    return stat;
  });
  await setImmediate();
  expect([waited, await again]).toEqual([false, undefined]);
});

test('what has waited too long for a slow thread is not delayed further', async () => {
  const files = await startedQuick(stubThread('setTimeout(answer, 30)'));
  const asked = Array.from({ length: 320 }, () => files.stat('trace0'));
  const inTime = (await Promise.all(asked)).filter((stat) => stat !== undefined);
  expect(inTime.length).toBeLessThanOrEqual(48); // three batches
});

test('a store whose thread does not start gives the same answers', async () => {
  const store = localStore({ root, fileThread: new URL('data:text/javascript,process.exit(1)') });
  for (let n = 0; n < 3; n++) expect((await store.stat('trace3')).size).toBe(10);
  store.close?.();
});
