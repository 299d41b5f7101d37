import { expect, test } from 'vitest';
import { returnRows, type Script } from '../testing/stub-worker.ts';
import { gather, rowsOf, SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const expectedRows = (list: string[]): string[] =>
  list.map((one) => `${one}: rows of ${one}`).sort();

test('every trace is queried once, and the traces are spread over all workers', async () => {
  // A worker that is slow to respond would be lost, and its tasks sent again.
  const options = { workerTimeoutMs: 60_000 };
  await using system = await new TestSystem([{ window: 64 }, { window: 64 }], options).start();
  const list = traces(1200);
  expect(rowsOf(await system.query([...list, ...list]))).toEqual(expectedRows(list));
  const [a, b] = system.workers.map(({ seen }) => seen);
  expect([...(a ?? []), ...(b ?? [])].sort()).toEqual([...list].sort());
  expect(a?.length).toBeGreaterThan(400);
  expect(b?.length).toBeGreaterThan(400);
});

test('a second query assigns a trace to the worker that has it loaded', async () => {
  await using system = await new TestSystem([{}, {}, {}]).start();
  const list = traces(60);
  await system.query(list);
  await system.query(list);
  // Each trace was queried twice by the same worker, except a few that an idle worker stole.
  const strangers = system.workers.flatMap(({ seen }) =>
    seen.filter((one) => seen.indexOf(one) === seen.lastIndexOf(one)),
  );
  expect(strangers.length).toBeLessThan(12);
});

test('a worker expands patterns, and a trace that several addresses match is queried once', async () => {
  const list = (pattern: string): string[] => (pattern === '/local/**' ? traces(2000) : []);
  await using system = await new TestSystem([{ list, window: 64 }]).start();
  const events = await system.query(['/local/t1', '/local/**', '/local/t1999']);
  expect(rowsOf(events)).toEqual(expectedRows(traces(2000)));
});

test('traces found by a pattern are assigned with their generation, named traces without', async () => {
  const list = (): string[] => ['/local/a', '/local/b'];
  await using system = await new TestSystem([{ list }]).start();
  await system.query(['/local/a', '/local/*', '/local/c']);
  const [worker] = system.workers;
  expect(Object.fromEntries(worker?.generations ?? [])).toEqual({
    ...{ '/local/a': '', '/local/b': '1', '/local/c': '' },
  });
});

test('upstream’s service returns one message per trace with all its results', async () => {
  const script: Script = ({ trace, rows }) => {
    rows(`${trace} first`, false);
    rows(`${trace} second`, true);
  };
  await using system = await new TestSystem([{ script }, { script }]).start();
  const received = (await system.upstream(traces(20))).map(
    ({ trace, result }) => `${trace}: ${result.join(', ')}`,
  );
  expect(received.sort()).toEqual(
    traces(20)
      .map((one) => `${one}: ${one} first, ${one} second`)
      .sort(),
  );
});

test.each([
  [[], 'SELECT 1', 'no_traces', 'the query names no traces'],
  [['/local/a'], ' \n', 'no_sql', 'the query has no SQL'],
  [['/local/*.none'], 'SELECT 1', 'no_match', '[/local/*.none]: the pattern matches no trace'],
  [
    ['local/a'],
    'SELECT 1',
    'invalid_address',
    '[local/a]: trace address must start with /; an address is /<store>/<path>, such as /local/app.pftrace or /gcs/bucket/o/app.pftrace',
  ],
])('both services reject the query %j %j', async (list, sql, code, message) => {
  await using system = await new TestSystem([{}]).start();
  const expected = expect.objectContaining({ code, message });
  await expect(system.query(list, { sql: Buffer.from(sql) })).rejects.toEqual(expected);
  await expect(system.upstream(list, sql)).rejects.toEqual(expected);
});

test('both services reject SQL that is longer than the bound', async () => {
  await using system = await new TestSystem([{}]).start();
  const sql = '-'.repeat(2 ** 25 + 1);
  const message = 'SQL is 33554433 bytes long, the bound is 33554432';
  const refused = { code: 'limit_exceeded', message };
  await expect(system.query(['/local/a'], { sql: Buffer.from(sql) })).rejects.toMatchObject(
    refused,
  );
  await expect(system.upstream(['/local/a'], sql)).rejects.toMatchObject(refused);
});

test('a strict query fails with the first failed trace and cancels the rest', async () => {
  const script: Script = ({ trace, fail }) => {
    if (trace === '/local/t7') fail('sql_failed', 'no such table: slicf');
  };
  await using system = await new TestSystem([
    { script, window: 100 },
    { script, window: 100 },
  ]).start();
  await expect(system.query(traces(100))).rejects.toMatchObject({
    code: 'sql_failed',
    message: '[/local/t7]: no such table: slicf',
    grpcStatus: 13,
  });
  await expect.poll(() => system.workers.map(({ streams }) => streams), SOON).toEqual([0, 0]);
  expect(system.workers.flatMap(({ ended }) => ended)).toEqual(['cancelled', 'cancelled']);
});

test('a lenient query reports failed traces as data and returns the rows of the others', async () => {
  const script: Script = ({ trace, fail, rows }) =>
    trace === '/local/t3' ? fail('trace_invalid', 'not a trace') : rows(`rows of ${trace}`, true);
  await using system = await new TestSystem([{ script }]).start();
  const list = traces(6);
  const events = await system.query([...list, 'nowhere', '/local/?.x'], { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toEqual(expectedRows(list.filter((one) => one !== '/local/t3')));
  const failures = events.flatMap(({ failure }) => failure ?? []);
  expect(
    failures.map(({ trace, code, attempts }) => `${trace} ${code} ${attempts}`).sort(),
  ).toEqual(['/local/?.x no_match 0', '/local/t3 trace_invalid 1', 'nowhere invalid_address 0']);
  await expect(system.query(['/local/t3'], { onFailure: 'LENIENT' })).rejects.toMatchObject({
    code: 'all_failed',
    message: 'the only trace failed: 1 trace_invalid, such as [/local/t3]: not a trace',
  });
});

test('the failure of a trace in mid-result states how many results were passed on', async () => {
  const script: Script = ({ trace, rows, fail }) => {
    rows('some', trace === '/local/t1');
    if (trace === '/local/t0') fail('sql_failed', 'integer overflow');
  };
  await using system = await new TestSystem([{ script }]).start();
  const events = await system.query(traces(2), { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toEqual(['/local/t0: some…', '/local/t1: some']);
  expect(events.flatMap(({ failure }) => failure?.message ?? [])).toEqual([
    'integer overflow (after 1 chunks of its result)',
  ]);
});

test('a query without a usable worker fails with an error that names all workers', async () => {
  await using system = await new TestSystem([{}], { workerWaitMs: 1500 }).start();
  await system.query(['/local/a']);
  const [worker] = system.workers;
  worker?.kill();
  await expect(system.query(['/local/a'])).rejects.toMatchObject({
    code: 'no_workers',
    message: expect.stringMatching(
      `^no worker can be reached: ${worker?.address} \\(connect ECONNREFUSED`,
    ),
  });
  await worker?.start(Number(worker.address.split(':')[1]));
  expect(rowsOf(await system.query(['/local/a']))).toEqual(['/local/a: rows of /local/a']);
});

test('the time limit ends the query and cancels every stream', async () => {
  await using system = await new TestSystem([{ script: () => undefined }]).start();
  const limits = { timeoutMs: 200 };
  await expect(system.query(traces(9), { limits })).rejects.toMatchObject({
    code: 'deadline_exceeded',
    message: 'the query exceeded its time limit of 200 ms (0 of 9 traces were done)',
  });
  await expect.poll(() => system.workers[0]?.ended, SOON).toEqual(['cancelled']);
  await expect(system.query(['/local/a'], { limits: { timeoutMs: 60_001 } })).rejects.toMatchObject(
    {
      code: 'invalid_option',
      message: 'timeout of 60001 ms must be <= 60000 ms',
    },
  );
});

test('every stream is cancelled when the client disconnects', async () => {
  await using system = await new TestSystem([{ script: () => undefined }, {}]).start();
  const call = system.begin(traces(50));
  const gathered = gather(call);
  await expect.poll(() => system.workers[0]?.streams, SOON).toBe(1);
  call.cancel();
  await expect(gathered).rejects.toMatchObject({ code: 'cancelled' });
  await expect.poll(() => system.workers.map(({ streams }) => streams), SOON).toEqual([0, 0]);
});

test('a client that does not read stops its workers by flow control', async () => {
  const chunk = 'x'.repeat(1 << 20);
  let sent = 0;
  const script: Script = ({ rows }) => {
    sent += 1;
    rows(chunk, true);
  };
  await using system = await new TestSystem([{ script, window: 1 }]).start();
  const call = system.begin(traces(80));
  // grpc-js buffers without bound until the application reads for the first time.
  call.once('data', () => call.pause());
  let before = -1;
  const stands = (): boolean => {
    const same = sent > 0 && sent === before;
    before = sent;
    return same;
  };
  await expect.poll(stands, { interval: 400, timeout: 10_000 }).toBe(true);
  expect(sent).toBeLessThan(60);
  expect(await system.query(['/local/other'])).toHaveLength(1); // other queries are not blocked
  expect(rowsOf(await gather(call))).toHaveLength(79);
});

test('progress events count traces, rows and bytes', async () => {
  const script: Script = ({ rows }) =>
    rows('four', true, { rows: 3, traceBytes: 10, loadMs: 1.25, queryMs: 0.25, tier: 'snapshot' });
  await using system = await new TestSystem([{ script }]).start();
  const events = await system.query(traces(5), { progressIntervalMs: 10_000 });
  expect(events.at(-1)?.progress).toEqual({
    ...{ tracesTotal: 5, totalIsFinal: true, tracesDone: 5, tracesFailed: 0 },
    ...{ rows: 15, resultBytes: 20, traceBytes: 50, elapsedMs: expect.any(Number), running: [] },
    ...{ coreMs: 8, tracesRemembered: 0, tracesLoaded: 0, tracesRestored: 5, tracesParsed: 0 },
  });
});

test('a trace that needs more memory than one worker allows is assigned to a worker that allows it', async () => {
  const refuse: Script = ({ fail }) => fail('limit_exceeded', 'too large: it needs 9 bytes', 9);
  const script: Script = (task) => (task.trace === '/local/big' ? refuse(task) : returnRows(task));
  const small = { script, instanceMemoryBytes: 4, window: 64 };
  await using system = await new TestSystem([small, { instanceMemoryBytes: 9 }, small]).start();
  const list = [...traces(50), '/local/big'];
  expect(rowsOf(await system.query(list))).toEqual(expectedRows(list));
  expect(system.workers[1]?.seen).toContain('/local/big');
});

test('the error of a trace that no worker has the memory for says how much the largest allows', async () => {
  const script: Script = ({ fail }) => fail('limit_exceeded', 'it needs about 9 bytes', 9);
  await using system = await new TestSystem([
    { script, instanceMemoryBytes: 4 },
    { script, instanceMemoryBytes: 2 },
  ]).start();
  await expect(system.query(['/local/big'])).rejects.toMatchObject({
    code: 'limit_exceeded',
    detail: "it needs about 9 bytes; the fleet's largest worker allows 4 bytes",
  });
  expect(system.workers.flatMap(({ seen }) => seen)).toHaveLength(1);
});
