import { expect, test } from 'vitest';
import { addressesDigest } from '../../lib/common/addresses/addresses-digest.ts';
import type { SchemaResponse } from '../../lib/proto/messages.ts';
import type { Script } from '../testing/stub-worker.ts';
import { TestSystem, unary } from '../testing/system.ts';

const NULL = 2;
const INT = 4;
const REAL = 8;

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const kindsOf = ({ column }: SchemaResponse): Record<string, number> =>
  Object.fromEntries(column.map(({ name, cellKinds }) => [name.toString(), cellKinds]));

test('column finding samples a few traces in TYPES mode and merges their kinds', async () => {
  const modes = new Set<string>();
  const script: Script = ({ trace, start, types }) => {
    modes.add(start.mode);
    types({ a: trace === '/local/t0' ? REAL : INT, b: INT });
  };
  await using system = await new TestSystem([{ script }, { script }]).start();
  const columns = await system.schema(traces(1000));
  expect(kindsOf(columns)).toEqual({ a: REAL | INT, b: INT });
  expect(columns.tracesSampled).toBe(4);
  expect(modes).toEqual(new Set(['TYPES']));
  const sampled = system.workers.flatMap(({ seen }) => seen).sort();
  expect(sampled).toEqual(['/local/t0', '/local/t250', '/local/t500', '/local/t750']);
});

test('more traces are sampled, up to a bound, while a column is NULL in all of them', async () => {
  const script: Script = ({ trace, types }) =>
    types({ a: trace === '/local/t125' ? NULL | INT : NULL });
  await using system = await new TestSystem([{ script }]).start();
  const columns = await system.schema(traces(1000));
  expect(kindsOf(columns)).toEqual({ a: NULL | INT });
  expect(columns.tracesSampled).toBe(8);
  const never = await system.schema(
    ['/local/x', ...traces(200)].filter((t) => t !== '/local/t125'),
  );
  expect([kindsOf(never), never.tracesSampled]).toEqual([{ a: NULL }, 128]);
});

test('only the first traces of a pattern are listed', async () => {
  const script: Script = ({ types }) => types({ a: INT });
  const list = (): string[] => traces(10_000);
  await using system = await new TestSystem([{ script, list }]).start();
  await system.schema(['/local/**']);
  expect(system.workers[0]?.seen).toEqual(['/local/t0', '/local/t64', '/local/t32', '/local/t96']);
});

test('repeated and concurrent requests of one query share one column finding', async () => {
  const script: Script = ({ types }) => types({ a: INT });
  await using system = await new TestSystem([{ script }]).start();
  const findColumns = (queryId: string): Promise<SchemaResponse> =>
    system.schema(['/local/a'], { queryId });
  const [first, second] = await Promise.all([findColumns('q'), findColumns('q')]);
  expect(second).toEqual(first);
  expect(await findColumns('q')).toEqual(first);
  expect(system.workers[0]?.seen).toHaveLength(1);
  await findColumns('another');
  expect(system.workers[0]?.seen).toHaveLength(2);
});

test('the cost of a query contains what was spent before under its ID, such as for column finding', async () => {
  const cost = { loadMs: 20, traceBytes: 100, tier: 'parse' } as const;
  const script: Script = ({ start, types, rows }) =>
    start.mode === 'TYPES' ? types({ a: INT }, cost) : rows('row', true, { queryMs: 1 });
  await using system = await new TestSystem([{ script }]).start();
  await system.schema(traces(2), { queryId: 'q' });
  const progressOf = async (queryId: string): Promise<unknown> =>
    (await system.query(traces(2), { queryId, progressIntervalMs: 10_000 })).at(-1)?.progress;
  const tiers = { tracesLoaded: 2, tracesParsed: 0, tracesDone: 2 };
  expect(await progressOf('q')).toMatchObject({ coreMs: 42, traceBytes: 200, ...tiers });
  expect(await progressOf('q')).toMatchObject({ coreMs: 44, traceBytes: 200, ...tiers });
  expect(await progressOf('another')).toMatchObject({ coreMs: 2, traceBytes: 0, ...tiers });
});

test('traces with different columns end in an error that names both lists', async () => {
  const script: Script = ({ trace, types }) =>
    types(trace === '/local/t1' ? { a: INT, c: INT } : { a: INT, b: INT });
  await using system = await new TestSystem([{ script, window: 1 }]).start();
  await expect(system.schema(traces(2))).rejects.toMatchObject({
    code: 'columns_mismatch',
    message: '[/local/t1]: columns are (a, c), but those of /local/t0 are (a, b)',
  });
});

test('a trace without columns is ignored, and it is an error when no trace has columns', async () => {
  const script: Script = ({ trace, types }) => types(trace === '/local/t9' ? { a: INT } : {});
  await using system = await new TestSystem([{ script }]).start();
  expect(kindsOf(await system.schema(traces(10)))).toEqual({ a: INT });
  await expect(system.schema(traces(5))).rejects.toMatchObject({
    code: 'sql_failed',
    message:
      'the script has no columns: its last statement returned none on the 5 sampled traces; end the script with a SELECT',
  });
});

test('a failed trace ends column finding in strict mode and is skipped in lenient mode', async () => {
  const script: Script = ({ trace, types, fail }) =>
    trace === '/local/good' ? types({ a: INT }) : fail('trace_invalid', 'not a trace');
  await using system = await new TestSystem([{ script }]).start();
  const list = [...traces(20), '/local/good'];
  await expect(system.schema(list)).rejects.toMatchObject({
    code: 'trace_invalid',
    message: expect.stringMatching(/^\[\/local\/t\d+\]: not a trace$/),
  });
  expect(kindsOf(await system.schema(list, { onFailure: 'LENIENT' }))).toEqual({ a: INT });
  await expect(system.schema(traces(3), { onFailure: 'LENIENT' })).rejects.toMatchObject({
    code: 'all_failed',
    message: expect.stringMatching(
      /^all 3 traces failed: 3 trace_invalid, such as \[\/local\/t\d\]: not a trace$/,
    ),
  });
});

test('if all sampled traces fail, the error has the number of traces of the query', async () => {
  const script: Script = ({ fail }) => fail('sql_failed', 'no such table: slicf');
  const list = (): string[] => traces(300);
  await using system = await new TestSystem([{ script, list }]).start();
  await expect(system.schema(['/local/**'], { onFailure: 'LENIENT' })).rejects.toMatchObject({
    code: 'all_failed',
    message:
      'all 128 sampled traces of 300 failed: 128 sql_failed, such as [/local/t0]: no such table: slicf',
  });
});

test('a lenient query with nothing but an address that selects no trace fails with its error', async () => {
  await using system = await new TestSystem([{}]).start();
  const nothing = { code: 'no_match', message: '[/local/*.x]: the pattern matches no trace' };
  const lenient = { onFailure: 'LENIENT' } as const;
  await expect(system.schema(['/local/*.x'], lenient)).rejects.toMatchObject(nothing);
  await expect(system.query(['/local/*.x'], lenient)).rejects.toMatchObject(nothing);
  await expect(system.query(['/local/*.x', 'nowhere'], lenient)).rejects.toMatchObject({
    code: 'all_failed',
    message: expect.stringMatching(/^none of the 2 addresses selects a trace: 1 invalid_address, /),
  });
});

test.each([
  [[], 'SELECT 1', 'no_traces'],
  [['/local/a'], '', 'no_sql'],
  [['/local/*'], 'SELECT 1', 'no_match'],
  [['nowhere'], 'SELECT 1', 'invalid_address'],
])('the request %j %j is rejected', async (list, sql, code) => {
  await using system = await new TestSystem([{}]).start();
  await expect(system.schema(list, { sql: Buffer.from(sql) })).rejects.toMatchObject({ code });
});

const TEXT = 16;

test('a column without a value gets its possible kinds, unless these mix numbers and text', async () => {
  const script: Script = ({ types }) =>
    types({ a: [NULL, NULL | INT], b: [0, INT | REAL], c: [0, NULL | TEXT] });
  await using system = await new TestSystem([{ script }]).start();
  const columns = await system.schema(traces(1000));
  expect(kindsOf(columns)).toEqual({ a: NULL | INT, b: INT | REAL, c: NULL | TEXT });
  expect(columns.tracesSampled).toBe(4);
  const mixed: Script = ({ types }) => types({ a: [NULL, INT | TEXT], b: [NULL, NULL] });
  await using other = await new TestSystem([{ script: mixed }]).start();
  const none = await other.schema(traces(10));
  expect([kindsOf(none), none.tracesSampled]).toEqual([{ a: NULL, b: NULL }, 10]);
});

test('a query id that is reused after the query ended finds its columns again', async () => {
  let kinds = INT;
  const script: Script = (task) =>
    task.start.mode === 'TYPES' ? task.types({ a: kinds }) : task.rows('rows', true);
  await using system = await new TestSystem([{ script }]).start();
  const queryId = 'fixed';
  expect(kindsOf(await system.schema(['/local/a'], { queryId }))).toEqual({ a: INT });
  kinds = REAL;
  // Until the query has ended, the id names the same query.
  expect(kindsOf(await system.schema(['/local/a'], { queryId, again: true }))).toEqual({ a: INT });
  expect(kindsOf(await system.schema(['/local/a'], { queryId }))).toEqual({ a: INT });
  await system.query(['/local/a'], { queryId });
  expect(kindsOf(await system.schema(['/local/a'], { queryId, again: true }))).toEqual({ a: INT });
  expect(kindsOf(await system.schema(['/local/a'], { queryId }))).toEqual({ a: REAL });
});

test('learned kinds apply to column findings of the same user, script and traces', async () => {
  const script: Script = ({ types }) => types({ a: INT, b: NULL });
  await using system = await new TestSystem([{ script }]).start();
  const sql = Buffer.from('SELECT 1 AS a, NULL AS b');
  const learn = (column: number, kinds: number): Promise<object> =>
    unary((done) => system.client.Learn({ user: 'u', sql, column, kinds, tracesDigest }, done));
  const tracesDigest = addressesDigest(traces(100).map((trace) => Buffer.from(trace)));
  await learn(1, TEXT);
  await learn(1, INT);
  const learned = async (
    user: string,
    script = sql,
    over = traces(100),
  ): Promise<(number | undefined)[]> => {
    const { column } = await system.schema(over, { user, sql: script });
    return column.map(({ learnedKinds }) => learnedKinds);
  };
  expect(await learned('u')).toEqual([0, TEXT | INT]);
  expect((await system.schema(traces(100), { user: 'u', sql })).tracesSampled).toBe(4);
  expect(await learned('other')).toEqual([0, 0]);
  expect(await learned('u', Buffer.from('SELECT 2'))).toEqual([0, 0]);
  expect(await learned('u', sql, traces(99))).toEqual([0, 0]);
  await expect(learn(0, 65)).rejects.toMatchObject({ code: 'invalid_option' });
});

test('a script without a SELECT has no columns, although TraceProcessor returns one', async () => {
  const script: Script = ({ trace, types }) =>
    types({ 0: trace === '/local/select' ? [0, INT] : 0 });
  await using system = await new TestSystem([{ script }]).start();
  await expect(system.schema(traces(10))).rejects.toMatchObject({ code: 'sql_failed' });
  expect(kindsOf(await system.schema(['/local/select']))).toEqual({ 0: INT });
});
