/** An engine with early views gives the same results as one that creates them at the end of each trace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQueries } from '../../../test/baseline/queries.ts';
import { CORPUS } from '../../../test/corpus/index.ts';
import { warningsSql } from '../reading/index.ts';
import { queryRows, testEngine } from '../testing.ts';
import { TraceProcessor } from '../trace-processor.ts';

const engine = await testEngine();
const early = new TraceProcessor(engine);
const late = new TraceProcessor(lateEngine());

/** Returns the engine with the initial memory that it would have without early views. */
function lateEngine(): typeof engine {
  const { code, width, digest, packetFields, zstd, identity } = engine;
  const start = new TraceProcessor({ code, width, digest, packetFields, zstd });
  start.query(warningsSql(new Map()), () => {});
  const initial = { engine: identity, ...start.memoryOver([]) };
  return { ...engine, primed: undefined, requestAt: start.requestAt, initial };
}

const QUERIES = [
  'SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2, 3, 4',
  'SELECT t.name, c.* FROM sqlite_master AS t, pragma_table_info(t.name) AS c ORDER BY 1, 2',
  'SELECT * FROM pragma_function_list ORDER BY 1, 2, 3, 4, 5, 6',
  'SELECT changes(), total_changes(), last_insert_rowid()',
  'PRAGMA schema_version',
  'EXPLAIN SELECT * FROM slices JOIN thread USING (name)',
  'SELECT count(*) FROM sqlstats',
  'SELECT * FROM _trace_import_logs',
  'INCLUDE PERFETTO MODULE prelude.*; SELECT 1',
  'INCLUDE PERFETTO MODULE prelude.before_eof.tables; SELECT 1',
  'INCLUDE PERFETTO MODULE prelude.early; SELECT 1',
  'INCLUDE PERFETTO MODULE prelude.after_eof.views; SELECT count(*) FROM slice',
  'CREATE PERFETTO VIEW slice AS SELECT 1 AS a; SELECT a FROM slice',
  'SELECT nope FROM counters',
  'SELECT cast_int!(1.5) AS a',
  'SELECT cast_int!(nope) AS a',
  'SELECT slice_is_ancestor(1) AS a',
  'CREATE PERFETTO MACRO cast_int(value Expr) RETURNS Expr AS 1; SELECT 1',
  'DROP VIEW slice; CREATE PERFETTO VIEW slice AS SELECT 1 AS a; SELECT * FROM slice',
  ...readQueries(join(import.meta.dirname, '../../../test/baseline/queries'))
    .filter(({ file }) => file === '10-tables')
    .map(({ sql }) => sql),
];

const TRACES = [
  'bad/empty.json',
  'bad/json-negative-ts.json',
  'bad/mixed-json-proto.zip',
  'bad/page.html',
  'handmade/android-apps.pftrace',
  'handmade/handmade.fxt',
  'handmade/handmade.ninja_log',
  'recorded/linux/compile-c.pftrace',
  'recorded/other/gcc.perf.data',
];

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return String(thrown);
  }
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

/** Returns the results of all queries, or the error of the load. */
function results(processor: TraceProcessor, trace: Uint8Array): unknown[] {
  processor.reset();
  const load = outcome(() => {
    processor.append(trace);
    processor.finalize();
  });
  if (load !== undefined) return [load];
  const loaded = processor.snapshot();
  return QUERIES.map((sql) => {
    const result = outcome(() => JSON.stringify(queryRows(processor, sql), replacer));
    if (processor.poisoned !== undefined || /INCLUDE|CREATE/.test(sql)) processor.restore(loaded);
    return result;
  });
}

test.each(TRACES)('%s', (path) => {
  const bytes = readFileSync(join(CORPUS, path));
  const [one, other] = [results(early, bytes), results(late, bytes)];
  expect(one.findIndex((each, at) => each !== other[at])).toBe(-1);
  expect(one).toHaveLength(other.length);
});

test('views exist before a trace, but no table that depends on one', () => {
  const names = (processor: TraceProcessor): unknown[] => {
    processor.reset();
    const kinds = `SELECT count() FILTER (WHERE type = 'view'), count(*) FROM sqlite_master`;
    return queryRows(processor, kinds).flat();
  };
  const [views, all] = names(early) as bigint[];
  const [viewsBefore, allBefore] = names(late) as bigint[];
  expect([Number(views) - Number(viewsBefore), Number(all) - Number(allBefore)]).toEqual([58, 58]);
});
