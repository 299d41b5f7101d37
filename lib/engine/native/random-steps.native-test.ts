/**
 * Takes the same random steps with instances of both runtimes, and compares what each step returns: instances do not see
 * each other, and a step leaves nothing behind. `STEPS=2000 SEED=7 npm run test:native -- random-steps` chooses how many.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RANDOM_STEPS } from '../../../test/harness/engine-runtime.ts';
import { type Snapshot, TraceProcessor } from '../index.ts';
import { load, testEngine } from '../testing.ts';
import { V8_RUNTIME } from './runtime-choice.ts';

const { count: STEPS, seed: SEED } = RANDOM_STEPS;
const INSTANCES = 3;

const TRACES = [
  ...[
    'recorded/linux/gzip-cpu.pftrace',
    'recorded/linux/compile-c.pftrace',
    'handmade/handmade.fxt',
  ],
  ...['bad/proto-compressed-nested.pftrace', 'bad/random-64k.bin'],
];
const SCRIPTS = [
  'SELECT * FROM sched',
  'SELECT name, value FROM stats',
  'SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2, 3',
  'SELECT avg(dur), sum(dur) / 3.0, 1e999, -1e999, 0.0 / 0, 1 / 0 FROM slice',
  'SELECT ts * 1.1, printf("%.17g", ts / 7.0), sqrt(ts), ln(dur), sin(ts) FROM sched LIMIT 200',
  'CREATE PERFETTO TABLE foo AS SELECT * FROM thread; SELECT count(*) FROM foo',
  'CREATE PERFETTO FUNCTION f(x INT) RETURNS INT AS SELECT $x + 1; SELECT f(1)',
  'INCLUDE PERFETTO MODULE slices.with_context; SELECT * FROM thread_slice LIMIT 100',
  'DROP VIEW slice; CREATE VIEW slice AS SELECT 1 AS id',
  'SELECT nope FROM sched',
  'SELECT 1 +',
  'CREATE PERFETTO FUNCTION down(n LONG) RETURNS LONG AS SELECT iif($n = 0, 0, down($n - 1)); SELECT down(40)',
];
/** Ends at another depth in each runtime, but ends with the same error in both. */
const FOREVER =
  'CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1); SELECT forever(1) AS v';

const one = <T>(values: readonly T[]) => fc.constantFrom(...values);
const step = fc.record({
  instance: fc.nat(INSTANCES - 1),
  act: fc.oneof(
    { weight: 2, arbitrary: fc.record({ is: fc.constant('load' as const), trace: one(TRACES) }) },
    { weight: 6, arbitrary: fc.record({ is: fc.constant('query' as const), sql: one(SCRIPTS) }) },
    {
      weight: 1,
      arbitrary: fc.record({ is: fc.constant('stop' as const), sql: one(SCRIPTS.slice(0, 2)) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ is: one(['reset', 'keep', 'restore', 'overflow'] as const) }),
    },
  ),
});
type Act = typeof step extends fc.Arbitrary<{ act: infer A }> ? A : never;

/** Instances of one runtime, and the last snapshot that one of them made. */
class Side {
  readonly #instances: TraceProcessor[];
  kept: Snapshot | undefined;

  constructor(instances: TraceProcessor[]) {
    this.#instances = instances;
  }

  /** Returns what the step returned: a digest of the results, or the error. `other`: the other runtime. */
  take(instance: number, act: Act, other: Side): string {
    const processor = this.#instances[instance];
    if (processor === undefined) throw new Error(`there is no instance ${instance}`);
    const hash = createHash('sha256');
    try {
      if (act.is === 'reset') processor.reset();
      if (act.is === 'keep') this.kept = processor.snapshot();
      // The snapshot of the other runtime: they are the same bytes.
      if (act.is === 'restore' && other.kept !== undefined) processor.restore(other.kept);
      if (act.is === 'load') {
        processor.reset();
        load(processor, act.trace);
      }
      if (act.is === 'overflow') processor.query(Buffer.from(FOREVER), () => {});
      if (act.is === 'stop')
        processor.query(Buffer.from(act.sql), () => {
          throw new Error('enough');
        });
      if (act.is === 'query')
        processor.query(Buffer.from(act.sql), (result) => hash.update(result));
    } catch (thrown) {
      hash.update(String(thrown));
    }
    return `${hash.digest('hex')} ${processor.poisoned}`;
  }
}

test(`${STEPS} random steps return the same in both runtimes`, async () => {
  const [native, v8] = [await testEngine(), await testEngine(V8_RUNTIME)].map(
    (engine) => new Side(Array.from({ length: INSTANCES }, () => new TraceProcessor(engine))),
  );
  if (native === undefined || v8 === undefined) throw new Error('there are two runtimes');
  const steps = fc.sample(step, { numRuns: STEPS, seed: SEED });
  for (const [at, { instance, act }] of steps.entries()) {
    const here = native.take(instance, act, v8);
    const there = v8.take(instance, act, native);
    expect(here, `step ${at} of seed ${SEED}: ${JSON.stringify({ instance, act })}`).toBe(there);
    if (act.is === 'overflow') {
      // Memory differs by how deep the recursion went.
      native.take(instance, { is: 'reset' }, v8);
      v8.take(instance, { is: 'reset' }, native);
    }
  }
}, 1_800_000);
