import { beforeAll, expect, test } from 'vitest';
import { rowsOf } from '../../query-result/index.ts';
import { type Engine, summarySpecOf, summaryTraits, TraceProcessor } from '../index.ts';
import { load, queryRows, testEngine } from '../testing.ts';

const COMPILE = 'recorded/linux/compile-c.pftrace';

let engine: Engine;
let processor: TraceProcessor;
beforeAll(async () => {
  engine = await testEngine();
  processor = load(new TraceProcessor(engine), COMPILE);
}, 300_000);

function summarize(spec: string): unknown[][] {
  const results: Uint8Array[] = [];
  processor.summarize(Buffer.from(spec), (result) => results.push(result));
  return rowsOf(results);
}

/** Returns the specification of a metric over the rows of a SQL query. */
function metric(id: string, sql: string, rest: string): string {
  return `metric_spec { id: "${id}" value: "v" ${rest} query { sql { sql: "${sql}" } } }\n`;
}

test('a metric returns one row for each row of its query', () => {
  const spec = `metric_spec {
    id: "cpu_time"  # by thread
    dimensions: "name"
    value: "total"
    query {
      table { table_name: "sched" }
      group_by { column_names: "utid" aggregates { column_name: "dur" op: SUM result_column_name: "total" } }
      select_columns { column_name: "utid" alias: "name" }
      select_columns { column_name: "total" }
    }
  }`;
  const direct = queryRows(processor, 'SELECT utid, sum(dur) FROM sched GROUP BY utid') as [
    bigint,
    bigint,
  ][];
  const want = direct.map(([utid, total]) => ['cpu_time', `{"name":${utid}}`, Number(total)]);
  expect(summarize(spec).sort()).toEqual(want.sort());
  expect(want.length).toBeGreaterThan(20);
});

test('dimensions of every type, NULL and any text are returned as JSON', () => {
  const sql = `
    SELECT 9007199254740993 AS i, 0.5 AS d, 'a\\"\\\\\\\\\\tb' AS s, NULL AS n, 1 AS v
    UNION ALL SELECT -9223372036854775807, 9e999, CAST(x'41ff42' AS TEXT), NULL, 2.5
    UNION ALL SELECT 3, 3.0, '', 'x', NULL`.replaceAll('\n', ' ');
  const all = 'dimensions: "i" dimensions: "d" dimensions: "s" dimensions: "n"';
  expect(summarize(metric('m', sql, all))).toEqual([
    ['m', '{"i":9007199254740993,"d":0.5,"s":"a\\"\\\\\\\\\\tb","n":null}', 1],
    ['m', '{"i":-9223372036854775807,"d":"Infinity","s":"A\ufffdB","n":null}', 2.5],
  ]);
});

test('the metrics of a template share the rows of its query, and NULL stays NULL', () => {
  const spec = `metric_template_spec {
    id_prefix: "t" dimensions: "k" value_columns: "a" value_columns: "b"
    query { sql { sql: "SELECT 'x' AS k, 1 AS a, NULL AS b UNION ALL SELECT 'y', 2, 3" } }
  }`;
  expect(summarize(spec)).toEqual([
    ['t_a', '{"k":"x"}', 1],
    ['t_b', '{"k":"x"}', null],
    ['t_a', '{"k":"y"}', 2],
    ['t_b', '{"k":"y"}', 3],
  ]);
});

test('the columns of interned dimensions follow the dimensions', () => {
  const spec = metric(
    'm',
    "SELECT 'x' AS k, 1 AS v UNION ALL SELECT 'y', 2",
    `dimensions_specs { name: "k" type: STRING }
     interned_dimension_specs {
       key_column_spec { name: "k" type: STRING }
       data_column_specs { name: "version" type: INT64 }
       query { sql { sql: "SELECT 'x' AS k, 7 AS version" } }
     }`,
  );
  expect(summarize(spec)).toEqual([
    ['m', '{"k":"x","version":7}', 1],
    ['m', '{"k":"y"}', 2],
  ]);
});

test('many rows are split into several results without loss', () => {
  const sql =
    'WITH RECURSIVE r(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM r LIMIT 60000) SELECT v FROM r';
  const results: Uint8Array[] = [];
  processor.summarize(Buffer.from(metric('m', sql, '')), (result) => results.push(result));
  expect(results.length).toBeGreaterThan(1);
  const values = rowsOf(results).map((row) => Number(row[2]));
  expect(values.length).toBe(60_000);
  expect(values.every((value, at) => value === at + 1)).toBe(true);
});

test.each([
  ['', 'the summary specification has no metric'],
  ['query { id: "x" }', /./],
  ['metric_spec { nope: 1 }', /nope/],
  [metric('m', 'SELECT nope FROM thread', ''), /nope/],
  [metric('m', 'SELECT 1 AS w', ''), "Column 'v' not found"],
  [metric('m', "SELECT 'text' AS v", ''), 'string/bytes for value column'],
  [
    'metric_spec { id: "m" value: "v" query { table { table_name: "x" module_name: "no.such" } } }',
    /no\.such/,
  ],
])('the specification is refused: %s', (spec, message) => {
  expect(() => summarize(spec)).toThrow(message);
  expect(processor.poisoned).toBeUndefined();
});

test('restore removes the state that a summary leaves', () => {
  const snapshot = processor.snapshot();
  const spec = `metric_spec { id: "m" value: "v" query { inner_query_id: "q" } }
    query { id: "q" sql { sql: "SELECT 5 AS v" } }`;
  expect(summarize(spec)).toEqual([['m', '{}', 5]]);
  processor.restore(snapshot);
  expect(summarize(spec)).toEqual([['m', '{}', 5]]);
});

test('summarySpecOf recognizes SUMMARIZE TRACE at the beginning of a script', () => {
  const spec = (sql: string) => {
    const spec = summarySpecOf(Buffer.from(sql));
    return spec && Buffer.from(spec).toString();
  };
  expect(spec('SUMMARIZE TRACE metric_spec {}')).toBe(' metric_spec {}');
  expect(spec('\n summarize\ttrace\n# x\n')).toBe('\n# x\n');
  for (const sql of ['SELECT 1', 'SUMMARIZE', 'SUMMARIZE TRACES x', '-- SUMMARIZE TRACE', ''])
    expect(spec(sql)).toBeUndefined();
});

test.each([
  ['value: "v"', true],
  ['sql: "SELECT random()"', false],
  ['sql: "SELECT date(\'now\')"', false],
  ['sql: "SELECT r" "andom()"', false],
  ['sql: "SELECT \\162andom()"', false],
  ['sql: "SELECT * FROM sqlstats"', false],
])('summaryTraits of a specification with %s: deterministic is %s', (spec, deterministic) => {
  const traits = summaryTraits(Buffer.from(spec));
  expect(traits).toEqual({ mutatesState: true, readsQueryHistory: !deterministic, deterministic });
});
