import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Engine,
  encodeSnapshot,
  type ReadBytes,
  type Snapshot,
  scriptTraits,
  TraceProcessor,
} from './index.ts';
import { PURE_FUNCTIONS } from './script/pure-functions.ts';
import { load, queryRows, runQuery, testEngine } from './testing.ts';

const SMALL = 'recorded/linux/compile-c.pftrace';
const OTHER = 'recorded/chrome/fetch-a.pftrace';

/** Queries that tell a used instance from a fresh one: by names, contents, functions and query history. */
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
  'CREATE PERFETTO MACRO m(x Expr) RETURNS Expr AS $x + 1; SELECT m!(1)',
  'SELECT user_version FROM pragma_user_version',
  'SELECT name FROM pragma_database_list',
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
];

let engine: Engine;
let fresh: Map<string, Buffer[]>;
beforeAll(async () => {
  engine = await testEngine();
  fresh = new Map([SMALL, OTHER].map((path) => [path, panelOf(path)]));
}, 300_000);

/** Returns the results of the panel, each query run on a fresh instance. */
function panelOf(path: string): Buffer[] {
  return PANEL.map((sql) => Buffer.concat(runQuery(load(new TraceProcessor(engine), path), sql)));
}

/** Restores `snapshot`, a snapshot or the bytes of its file, before each query of the panel. */
function expectFresh(processor: TraceProcessor, snapshot: Snapshot | Buffer, path: string): void {
  for (const [at, sql] of PANEL.entries()) {
    if (Buffer.isBuffer(snapshot)) processor.restoreFile(readerOf(snapshot));
    else processor.restore(snapshot);
    const received = Buffer.concat(runQuery(processor, sql));
    expect(received.equals(fresh.get(path)?.[at] ?? Buffer.of()), `${sql} on ${path}`).toBe(true);
  }
}

function tryTo(processor: TraceProcessor, sql: string, results: Uint8Array[] = []): void {
  try {
    results.push(...runQuery(processor, sql));
  } catch {
    // a script that fails may have mutated state, too
  }
}

test('a restored instance returns the results of a fresh one after any script', () => {
  const processor = new TraceProcessor(engine);
  const snapshots = [SMALL, OTHER].map((path) => {
    processor.reset();
    return { path, snapshot: load(processor, path).snapshot() };
  });
  for (const [round, sql] of MARKING.entries()) {
    tryTo(processor, sql);
    tryTo(processor, MARKING[(round * 7 + 3) % MARKING.length] ?? '');
    const { path, snapshot } = snapshots[round % 2 === 0 ? 0 : 1] ?? {
      path: '',
      snapshot: engine.initial,
    };
    if (round < 4) expectFresh(processor, snapshot, path);
    processor.restore(snapshot);
    const [history = ''] = PANEL;
    expect(Buffer.concat(runQuery(processor, history)), sql).toEqual(fresh.get(path)?.[0]);
  }
});

test('a snapshot can be restored in another instance that holds a bigger trace', () => {
  const snapshot = load(new TraceProcessor(engine), SMALL).snapshot();
  const other = load(new TraceProcessor(engine), OTHER);
  expectFresh(other, structuredClone(snapshot), SMALL);
});

describe('scripts that mutate no state', () => {
  /** Without `sqlstats`: the trait `readsQueryHistory` covers scripts that read it. */
  const silent = PANEL.filter((sql) => !scriptTraits(Buffer.from(sql)).readsQueryHistory);
  let processor: TraceProcessor;
  let snapshot: Snapshot;
  beforeAll(() => {
    processor = load(new TraceProcessor(engine), SMALL);
    snapshot = processor.snapshot();
  });

  function runUnmarked(scripts: readonly string[]): void {
    processor.restore(snapshot);
    for (const sql of scripts) {
      expect(scriptTraits(Buffer.from(sql)).mutatesState, sql).toBe(false);
      tryTo(processor, sql);
    }
    const marked = processor.snapshot();
    for (const sql of silent) {
      processor.restore(marked);
      const received = Buffer.concat(runQuery(processor, sql));
      const want = fresh.get(SMALL)?.[PANEL.indexOf(sql)] ?? Buffer.of();
      expect(received.equals(want), `${sql} after ${scripts}`).toBe(true);
    }
  }

  test('reading any table or view mutates no state', () => {
    const names = queryRows(processor, 'SELECT name FROM sqlite_master').map(([name]) =>
      String(name),
    );
    const readable = names.filter((name) => !name.startsWith('__intrinsic_'));
    expect(readable.length).toBeGreaterThan(80);
    runUnmarked(readable.map((name) => `SELECT * FROM "${name}" LIMIT 50`));
  });

  test('every function of PURE_FUNCTIONS exists and mutates no state', () => {
    processor.restore(snapshot);
    const functions = queryRows(
      processor,
      'SELECT name FROM pragma_function_list UNION SELECT name FROM pragma_module_list UNION SELECT name FROM sqlite_master',
    ).flat();
    expect([...PURE_FUNCTIONS].filter((name) => !functions.includes(name))).toEqual([]);
    const calls = [...PURE_FUNCTIONS].flatMap((name) =>
      ['', '1', "'a'", "1, 'name'", "'%s', 'b', 3", '1, 2, 3, 4'].flatMap((args) => [
        `SELECT ${name}(${args}) FROM (SELECT 1 UNION SELECT 2)`,
        `SELECT * FROM ${name}(${args})`,
        `SELECT ${name}(${args}) OVER () FROM thread`,
      ]),
    );
    runUnmarked(calls);
  });

  test('scripts without mutating statements mutate no state in any order, even when they fail', () => {
    const parts = fc.record({
      columns: fc.constantFrom('*', 'count(*), max(dur)', 'nope', "replace(name, 'a', 'b')", '1/0'),
      from: fc.constantFrom('slice', 'sched', 'thread', 'counter', 'missing', 'stats'),
      where: fc.constantFrom('', 'WHERE id > 10', 'WHERE name GLOB 1', "WHERE json('{') = 1"),
      tail: fc.constantFrom('', 'ORDER BY 1 DESC LIMIT 5', 'GROUP BY 1', ')', '; SELECT 2;'),
    });
    const scripts = fc.array(
      parts.map(
        ({ columns, from, where, tail }) => `SELECT ${columns} FROM ${from} ${where} ${tail}`,
      ),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(fc.property(scripts, runUnmarked), { numRuns: 15 });
  });
});

test('the panel detects the state that each mutating script leaves', () => {
  const processor = load(new TraceProcessor(engine), SMALL);
  const snapshot = processor.snapshot();
  const unseen = MARKING.filter((script) => {
    processor.restore(snapshot);
    expect(scriptTraits(Buffer.from(script)).mutatesState, script).toBe(true);
    tryTo(processor, script);
    const marked = processor.snapshot();
    return PANEL.slice(1).every((sql, at) => {
      processor.restore(marked);
      const received: Uint8Array[] = [];
      tryTo(processor, sql, received);
      return Buffer.concat(received).equals(fresh.get(SMALL)?.[at + 1] ?? Buffer.of());
    });
  });
  expect(unseen).toEqual([]);
});

test('a snapshot of a restored instance equals the snapshot that was restored', () => {
  const processor = load(new TraceProcessor(engine), SMALL);
  const snapshot = processor.snapshot();
  tryTo(processor, 'CREATE PERFETTO TABLE foo AS SELECT * FROM thread');
  processor.restore(snapshot);
  const again = processor.snapshot();
  expect([...again.runs]).toEqual([...snapshot.runs]);
  expect(Buffer.compare(again.contents, snapshot.contents)).toBe(0);
});

test('restore makes an instance usable again after it stopped in mid-query or trapped', () => {
  const processor = load(new TraceProcessor(engine), SMALL);
  const snapshot = processor.snapshot();
  const stop = (): never => {
    throw new Error('enough');
  };
  expect(() => processor.query(Buffer.from('SELECT * FROM sched'), stop)).toThrow('enough');
  expectFresh(processor, snapshot, SMALL);
  processor.reset();
  expect(() => load(processor, 'bad/proto-compressed-nested.pftrace')).toThrow('crashed');
  expect(() => processor.snapshot()).toThrow('crashed');
  expectFresh(processor, snapshot, SMALL);
  processor.reset();
  expect(() => load(processor, 'bad/random-64k.bin')).toThrow('Trace parse failure');
  processor.reset();
  expect(() => load(processor, SMALL)).not.toThrow();
});

test('restore refuses a snapshot of another engine or beyond the memory bound', () => {
  const snapshot = load(new TraceProcessor(engine), OTHER).snapshot();
  const bounded = new TraceProcessor(engine, { memoryBytesMax: 2 ** 25 });
  expect(() => bounded.restore({ ...snapshot, memoryBytes: 2 ** 26 })).toThrow(
    'TraceProcessor needs more memory than its bound of 33554432 bytes',
  );
  expect(() => bounded.restore({ ...snapshot, engine: 'x' })).toThrow('of another engine');
});

test('an instance refuses queries after a snapshot file proved to be damaged halfway', async () => {
  const snapshot = load(new TraceProcessor(engine), OTHER).snapshot();
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSnapshot(snapshot)) pieces.push(piece);
  const file = Buffer.concat(pieces);
  expectFresh(load(new TraceProcessor(engine), SMALL), file, OTHER);
  expectFresh(new TraceProcessor(engine), file, OTHER);
  file.writeUInt8(file.readUInt8(file.length - 9) ^ 1, file.length - 9);
  const damaged = load(new TraceProcessor(engine), SMALL);
  expect(() => damaged.restoreFile(readerOf(file))).toThrow('it is damaged');
  expect(() => queryRows(damaged, 'SELECT 1')).toThrow('it is damaged');
  expect(() => damaged.snapshot()).toThrow('it is damaged');
  damaged.reset();
  load(damaged, SMALL);
  expectFresh(damaged, damaged.snapshot(), SMALL);
});

function readerOf(file: Buffer): ReadBytes {
  let at = 0;
  return (into) => {
    const bytes = file.copy(into, 0, at);
    at += bytes;
    return bytes;
  };
}
