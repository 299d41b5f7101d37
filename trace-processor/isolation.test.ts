import { beforeAll, expect, test } from 'vitest';
import { type Engine, type Image, TraceProcessor } from './index.ts';
import { answer, load, testEngine } from './test-traces.ts';

const SMALL = 'recorded/linux/compile-c.pftrace';
const OTHER = 'recorded/chrome/fetch-a.pftrace';

/** Asked to see whether an instance is as a fresh one: names, contents, functions, what was asked before. */
const PANEL = [
  'SELECT * FROM sqlstats',
  'SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2, 3',
  'SELECT changes(), total_changes(), last_insert_rowid()',
  'SELECT name, narg FROM pragma_function_list ORDER BY 1, 2',
  'SELECT * FROM slice ORDER BY id',
  'SELECT ts, cpu, dur, utid FROM sched',
  'SELECT * FROM thread',
  'SELECT name, value FROM stats',
  'INCLUDE PERFETTO MODULE slices.with_context; SELECT * FROM thread_slice LIMIT 100',
  'CREATE PERFETTO TABLE foo AS SELECT count(*) AS n FROM slice; SELECT * FROM foo',
];

const MARKING = [
  'CREATE PERFETTO TABLE foo AS SELECT * FROM slice; SELECT count(*) FROM foo',
  'CREATE PERFETTO VIEW bar AS SELECT 1 AS one',
  'CREATE PERFETTO FUNCTION f(x INT) RETURNS INT AS SELECT $x + 1; SELECT f(1)',
  'CREATE PERFETTO MACRO m(x Expr) RETURNS Expr AS $x + 1; SELECT m!(1)',
  'CREATE PERFETTO TABLE foo AS SELECT * FROM thread; CREATE PERFETTO INDEX i ON foo(name)',
  'CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); DELETE FROM t; DROP TABLE t',
  'CREATE TABLE thread_names AS SELECT name FROM thread',
  'DROP VIEW slice; CREATE VIEW slice AS SELECT 1 AS id',
  'INCLUDE PERFETTO MODULE android.startup.startups; SELECT * FROM android_startups',
  'INCLUDE PERFETTO MODULE slices.with_context; INCLUDE PERFETTO MODULE sched.states',
  "SELECT create_function('g(x INT)', 'INT', 'SELECT $x * 2')",
  "SELECT run_metric('android/process_metadata.sql')",
  'PRAGMA case_sensitive_like = 1',
  'PRAGMA user_version = 5; BEGIN',
  "ATTACH ':memory:' AS other; CREATE TABLE other.x(y)",
  'CREATE PERFETTO TABLE foo AS SELECT * FROM slice; SELECT nope FROM foo',
  'SELECT 1; SELECT',
];

let engine: Engine;
let fresh: Map<string, Buffer[]>;
beforeAll(async () => {
  engine = await testEngine();
  fresh = new Map([SMALL, OTHER].map((path) => [path, panelOf(path)]));
}, 300_000);

/** Each answered by an instance that was asked nothing before. */
function panelOf(path: string): Buffer[] {
  return PANEL.map((sql) => Buffer.concat(answer(load(new TraceProcessor(engine), path), sql)));
}

function expectFresh(processor: TraceProcessor, image: Image, path: string): void {
  for (const [at, sql] of PANEL.entries()) {
    processor.restore(image);
    const got = Buffer.concat(answer(processor, sql));
    expect(got.equals(fresh.get(path)?.[at] ?? Buffer.of()), `${sql} on ${path}`).toBe(true);
  }
}

function tryTo(processor: TraceProcessor, sql: string): void {
  try {
    answer(processor, sql);
  } catch {
    // a script that fails may leave marks too
  }
}

test('a restored instance answers as a fresh one, whatever was done to it', () => {
  const processor = new TraceProcessor(engine);
  const images = [SMALL, OTHER].map((path) => {
    processor.reset();
    return { path, image: load(processor, path).snapshot() };
  });
  for (const [round, sql] of MARKING.entries()) {
    tryTo(processor, sql);
    tryTo(processor, MARKING[(round * 7 + 3) % MARKING.length] ?? '');
    const { path, image } = images[round % 2 === 0 ? 0 : 1] ?? { path: '', image: engine.initial };
    if (round < 4) expectFresh(processor, image, path);
    processor.restore(image);
    const [history = ''] = PANEL;
    expect(Buffer.concat(answer(processor, history)), sql).toEqual(fresh.get(path)?.[0]);
  }
});

test('an image is good for another instance, and over a bigger trace', () => {
  const image = load(new TraceProcessor(engine), SMALL).snapshot();
  const other = load(new TraceProcessor(engine), OTHER);
  expectFresh(other, structuredClone(image), SMALL);
});

test('a snapshot of a restored instance is the same image', () => {
  const processor = load(new TraceProcessor(engine), SMALL);
  const image = processor.snapshot();
  tryTo(processor, 'CREATE PERFETTO TABLE foo AS SELECT * FROM thread');
  processor.restore(image);
  const again = processor.snapshot();
  expect([...again.runs]).toEqual([...image.runs]);
  expect(Buffer.compare(again.contents, image.contents)).toBe(0);
});

test('restoring cures an instance that was left in mid-query, or trapped', () => {
  const processor = load(new TraceProcessor(engine), SMALL);
  const image = processor.snapshot();
  const stop = (): never => {
    throw new Error('enough');
  };
  expect(() => processor.query(Buffer.from('SELECT * FROM sched'), stop)).toThrow('enough');
  expectFresh(processor, image, SMALL);
  processor.reset();
  expect(() => load(processor, 'bad/proto-compressed-nested.pftrace')).toThrow('crashed');
  expect(() => processor.snapshot()).toThrow('crashed');
  expectFresh(processor, image, SMALL);
  processor.reset();
  expect(() => load(processor, 'bad/random-64k.bin')).toThrow('Trace parse failure');
  processor.reset();
  expect(() => load(processor, SMALL)).not.toThrow();
});

test('an image of another engine, or too big for the bound, is refused', () => {
  const image = load(new TraceProcessor(engine), OTHER).snapshot();
  const bounded = new TraceProcessor(engine, { memoryBytesMax: 2 ** 25 });
  expect(() => bounded.restore({ ...image, memoryBytes: 2 ** 26 })).toThrow(
    'TraceProcessor needs more memory than its bound of 33554432 bytes',
  );
  expect(() => bounded.restore({ ...image, engine: 'x' })).toThrow('of another engine');
});
