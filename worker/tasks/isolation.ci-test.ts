import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asBigtraceError } from '../../lib/common/errors.ts';
import { type Engine, loadEngine, TraceProcessor } from '../../lib/engine/index.ts';
import { type CellValue, rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { type TestClient, tempDir, testConfig, testWorker } from '../testing/worker.ts';

const PATHS = [
  'recorded/linux/compile-c.pftrace',
  'recorded/linux/gzip-cpu.pftrace',
  'recorded/chrome/fetch-a.pftrace',
];

/** Scripts that only read, scripts that mutate state, and scripts that would see the mutations of others. */
const SCRIPTS = [
  'SELECT count(*), sum(dur) FROM slice',
  'SELECT name, count(*) FROM thread GROUP BY name ORDER BY 2 DESC, 1 LIMIT 20',
  'SELECT count(*) FROM sched',
  "SELECT name FROM sqlite_master WHERE name IN ('foo', 'bar', 't') ORDER BY 1",
  'SELECT x FROM foo',
  'CREATE PERFETTO TABLE foo AS SELECT count(*) AS x FROM thread; SELECT x FROM foo',
  'CREATE PERFETTO TABLE foo AS SELECT 1 AS x; SELECT nope FROM foo',
  'CREATE PERFETTO VIEW bar AS SELECT 3 AS y; SELECT y FROM bar',
  'SELECT y FROM bar',
  'CREATE PERFETTO FUNCTION f(x INT) RETURNS INT AS SELECT $x + 1; SELECT f(1)',
  'SELECT f(1)',
  'CREATE PERFETTO MACRO m(x Expr) RETURNS Expr AS $x + 5; SELECT m!(1)',
  'SELECT m!(1)',
  'CREATE PERFETTO TABLE foo AS SELECT utid AS x FROM thread; CREATE PERFETTO INDEX i ON foo(x); SELECT count(*) FROM foo',
  'CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); SELECT sum(a) FROM t',
  'SELECT sum(a) FROM t',
  'DROP VIEW thread; SELECT 1',
  'INCLUDE PERFETTO MODULE slices.with_context; SELECT count(*) FROM thread_slice',
  'SELECT count(*) FROM thread_slice',
  'SELECT count(*) FROM sqlstats',
  'PRAGMA user_version = 5; SELECT user_version FROM pragma_user_version',
  'SELECT 1; SELECT',
];

/** Runs the script on a new engine that loaded only this trace. */
type Outcome = CellValue[][] | { code: string; message: string };

function freshOutcome(engine: Engine, trace: Uint8Array, sql: string): Outcome {
  const processor = new TraceProcessor(engine);
  const results: Uint8Array[] = [];
  processor.append(trace);
  processor.finalize();
  try {
    processor.query(Buffer.from(sql), (result) => results.push(result.slice()));
    return rowsOf(results);
  } catch (thrown) {
    const { code, detail } = asBigtraceError(thrown);
    return { code, message: detail };
  }
}

interface Step {
  path: number;
  script: number;
  /** Milliseconds after which the client cancels; undefined: it waits for the result. */
  leaveMs: number | undefined;
}

async function outcome(
  client: TestClient,
  { path, script, leaveMs }: Step,
): Promise<Outcome | undefined> {
  const run = client.run({ sql: SCRIPTS[script] ?? '' });
  const ids = run.add(`/local/${PATHS[path]}`);
  if (leaveMs !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, leaveMs));
    run.call.cancel();
    return undefined;
  }
  const [end] = await run.endsOf(ids);
  run.call.end();
  const failure = end?.end.failure;
  return failure ? { code: failure.code, message: failure.message } : rowsOf(end?.results ?? []);
}

const step = fc.record({
  path: fc.nat(PATHS.length - 1),
  script: fc.nat(SCRIPTS.length - 1),
  leaveMs: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(150) },
  ),
});

test('a result is that of a fresh engine, whatever other clients do before and at the same time', async () => {
  await using cache = await tempDir();
  // Little memory, so that traces are evicted, restored and shared all the time.
  await using worker = await testWorker({ memoryBytesMax: 180 * 2 ** 20, cacheDir: cache.path });
  const engine = await loadEngine((await testConfig()).engine.wasm);
  const traces = await Promise.all(PATHS.map((path) => readFile(join(CORPUS, path))));
  const known = new Map<string, Outcome>();
  const expected = ({ path, script }: Step): Outcome => {
    const key = `${path} ${script}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const outcome = freshOutcome(engine, traces[path] ?? Buffer.alloc(0), SCRIPTS[script] ?? '');
    known.set(key, outcome);
    return outcome;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 40 }), async (steps) => {
      const queue = steps.entries();
      const runScript = async (): Promise<void> => {
        for (const [, next] of queue) {
          const got = await outcome(worker.client, next);
          if (got !== undefined) expect(got, SCRIPTS[next.script]).toEqual(expected(next));
        }
      };
      await Promise.all([runScript(), runScript(), runScript(), runScript()]);
    }),
    { numRuns: 2, endOnFailure: true },
  );
  const { counters } = await worker.client.status();
  for (const tier of ['tier_parse', 'tier_loaded', 'tier_result'])
    expect(counters[tier], tier).toBeGreaterThan(0);
}, 240_000);
