/**
 * Cancels calls of a compiled engine in each phase, at random moments: the thread lives on, and soon. `CANCELS=300 npm run
 * test:native -- cancels` chooses how often, and requires that half of the calls have ended after 100 ms.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeSnapshot } from '../lib/engine/index.ts';
import { testEngine } from '../lib/engine/testing.ts';
import { RANDOM_CANCELS } from '../test/harness/engine-runtime.ts';
import { EngineThread } from './engines/engine-thread.ts';
import { corpusTrace, loadTrace, scriptRows } from './testing/engine-thread.ts';
import { tempDir, testConfig } from './testing/worker.ts';

const { count: CANCELS, isMeasured } = RANDOM_CANCELS;
const END_MS_MAX = 100;

const GZIP = corpusTrace('recorded/linux/gzip-cpu.pftrace');
const LARGER = corpusTrace('recorded/linux/mem-pressure.pftrace');
const NEVER_LOADS = corpusTrace('bad/json-counter-nan.json');
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const ENDLESS_ROWS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n';

let thread: EngineThread;
let directory: Awaited<ReturnType<typeof tempDir>>;
let snapshot: string;
beforeAll(async () => {
  const { threadEntry } = await testConfig();
  const engine = await testEngine();
  expect(engine.code.runtime).toBe('native');
  thread = new EngineThread(engine, threadEntry, () => {});
  directory = await tempDir();
  snapshot = join(directory.path, 'snapshot');
  await loadTrace(thread, LARGER);
  await writeFile(snapshot, encodeSnapshot(await thread.snapshot('trace')));
});
afterAll(async () => {
  await thread?.kill('the test ends');
  await directory?.[Symbol.asyncDispose]();
});

/** Numbers from 0 to 1, the same in each run. */
let state = 1;
function random(): number {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
}

interface Phase {
  what: string;
  prepare: () => Promise<void>;
  begin: (signal: AbortSignal) => Promise<unknown>;
}

/** Takes no rows, so the thread waits in the middle of the script. */
async function untakenRows(signal: AbortSignal): Promise<void> {
  await thread.query(
    {
      ...{ key: 'trace', sql: Buffer.from(ENDLESS_ROWS), memoryBytesMax: 2 ** 32 },
      ...{ isSummary: false, mutatesState: false, wantsKinds: false },
      onResult: () => new Promise(() => {}),
    },
    signal,
  );
}

const loaded = (): Promise<void> => loadTrace(thread, GZIP);
const nothing = async (): Promise<void> => {};
const PHASES: Phase[] = [
  { what: 'parsing', prepare: nothing, begin: (signal) => loadTrace(thread, LARGER, signal) },
  {
    what: 'parsing without end',
    prepare: nothing,
    begin: (signal) => loadTrace(thread, NEVER_LOADS, signal),
  },
  {
    what: 'restoring a snapshot',
    prepare: nothing,
    begin: (signal) =>
      thread.restore('trace', { path: snapshot, uncompressed: false }, 2 ** 32, signal),
  },
  {
    what: 'a script without end',
    prepare: loaded,
    begin: (signal) => scriptRows(thread, ENDLESS, signal),
  },
  { what: 'rows that nobody takes', prepare: loaded, begin: untakenRows },
];

/** Returns how long the call takes if it is not cancelled, but at most this long. */
async function durationMs({ prepare, begin }: Phase, msMax: number): Promise<number> {
  await prepare();
  const from = performance.now();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), msMax);
  await begin(abort.signal).catch(() => {});
  clearTimeout(timer);
  return Math.min(performance.now() - from, msMax);
}

/** Cancels a call after so long. @returns the time until it had ended; undefined if it had ended before */
async function cancelled({ prepare, begin }: Phase, ms: number): Promise<number | undefined> {
  await prepare();
  const abort = new AbortController();
  const reason = new Error('enough');
  let from = Number.NaN;
  const timer = setTimeout(() => {
    from = performance.now();
    abort.abort(reason);
  }, ms);
  const thrown = await begin(abort.signal).catch((error) => error);
  clearTimeout(timer);
  expect(thread.state.is).not.toBe('gone');
  if (thrown === undefined || (thrown as object) !== reason) {
    expect(thrown).not.toBeInstanceOf(Error);
    return undefined;
  }
  return performance.now() - from;
}

test.each(PHASES)(
  '$what: cancelled at any moment',
  async (phase) => {
    const duration = await durationMs(phase, 100);
    const times: number[] = [];
    for (let n = 0; n < 4 * CANCELS && times.length < CANCELS; n++) {
      const took = await cancelled(phase, random() * 0.8 * duration);
      if (took !== undefined) times.push(took);
    }
    times.sort((one, other) => one - other);
    const [half = 0, most = 0] = [times.at(times.length >> 1), times.at(-1)];
    expect(times).toHaveLength(CANCELS);
    if (isMeasured) {
      const late = times.filter((ms) => ms > END_MS_MAX).length;
      process.stdout.write(
        `${phase.what}: ${CANCELS} cancelled, median ${half.toFixed(1)} ms, ` +
          `most ${most.toFixed(1)} ms, ${late} later than ${END_MS_MAX} ms\n`,
      );
      expect(half).toBeLessThan(END_MS_MAX);
    }
    await loadTrace(thread, GZIP);
    expect(await scriptRows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
  },
  3_600_000,
);
