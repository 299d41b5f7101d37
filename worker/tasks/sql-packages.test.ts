import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CellValue, rowsOf } from '../../lib/query-result/index.ts';
import { type TestWorker, tempDir, testWorker } from '../testing/worker.ts';

const FETCH = '/local/recorded/chrome/fetch-a.pftrace';
const COMPILE = '/local/recorded/linux/compile-c.pftrace';
const SCRIPT = 'INCLUDE PERFETTO MODULE fleet.top; SELECT answer FROM fleet_top';

/** Returns the first value and the tier, or the failure's message and code. */
async function runScript(
  worker: TestWorker,
  trace: string,
  sql: string,
): Promise<[CellValue | undefined, string]> {
  const end = await worker.client.runScript(trace, sql);
  const { rows, failure } = end?.end ?? {};
  if (failure) return [failure.message, failure.code];
  return [rowsOf(end?.results ?? [])[0]?.[0], rows?.stats?.tier ?? 'none'];
}

async function withModule(directory: string, sql: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'top.sql'), sql);
  return [`fleet=${directory}`];
}

const top = (expression: string): string =>
  `CREATE PERFETTO TABLE fleet_top AS SELECT ${expression} AS answer FROM thread LIMIT 1`;

test('a module can be included in a trace that was parsed, is in memory, was mutated, or was restored from a snapshot', async () => {
  await using scratch = await tempDir();
  const sqlPackages = await withModule(join(scratch.path, 'sql'), top('1 + 1'));
  const cacheDir = join(scratch.path, 'cache');
  {
    await using worker = await testWorker({ sqlPackages, cacheDir, threads: 1 });
    expect(await runScript(worker, FETCH, SCRIPT)).toEqual([2n, 'parse']);
    expect(await runScript(worker, FETCH, `${SCRIPT} -- again`)).toEqual([2n, 'loaded']);
    const marks = 'DROP VIEW slice; CREATE VIEW slice AS SELECT 1 AS id; SELECT 7';
    expect(await runScript(worker, FETCH, marks)).toEqual([7n, 'loaded']);
    expect(await runScript(worker, FETCH, `${SCRIPT} -- marked`)).toEqual([2n, 'loaded']);
    expect(await runScript(worker, FETCH, SCRIPT)).toEqual([2n, 'result']);
    expect((await worker.client.status()).sqlPackage).toEqual(['fleet']);
    await expect
      .poll(async () => (await worker.client.status()).gauges['snapshots'], { timeout: 20_000 })
      .toBe(1);
  }
  {
    await using worker = await testWorker({ sqlPackages, cacheDir });
    expect(await runScript(worker, FETCH, SCRIPT)).toEqual([2n, 'snapshot']);
  }
  await withModule(join(scratch.path, 'sql'), top('40 + 2'));
  {
    await using worker = await testWorker({ sqlPackages, cacheDir });
    expect(await runScript(worker, FETCH, SCRIPT)).toEqual([42n, 'parse']);
  }
});

test('a result is cached only if the included modules are deterministic, too', async () => {
  await using scratch = await tempDir();
  const sqlPackages = await withModule(scratch.path, top('hex(randomblob(16))'));
  // With a second thread, a task parses the trace again if the rollback after the one before takes 50 ms.
  await using worker = await testWorker({ sqlPackages, threads: 1 });
  const tiers = [
    await runScript(worker, COMPILE, SCRIPT),
    await runScript(worker, COMPILE, SCRIPT),
  ];
  expect(tiers.map(([, tier]) => tier)).toEqual(['parse', 'loaded']);
  expect(await runScript(worker, COMPILE, 'SELECT 1')).toEqual([1n, 'loaded']);
  expect(await runScript(worker, COMPILE, 'SELECT 1')).toEqual([1n, 'result']);
});

test('invalid SQL in a module is an error that names the module', async () => {
  await using scratch = await tempDir();
  const sqlPackages = await withModule(scratch.path, top('nope'));
  await using worker = await testWorker({ sqlPackages });
  const [message, code] = await runScript(worker, COMPILE, SCRIPT);
  expect(code).toBe('sql_failed');
  expect(message).toMatch(/fleet\.top[\s\S]*nope/);
});

test('a worker whose package directory is missing does not start', async () => {
  await using scratch = await tempDir();
  await rm(scratch.path, { recursive: true });
  await expect(testWorker({ sqlPackages: [`a=${scratch.path}`] })).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining(`--sql-package a=${scratch.path}: `),
  });
});

const SUMMARY = `SUMMARIZE TRACE metric_spec {
  id: "threads" value: "n" query { sql { sql: "SELECT count(*) AS n FROM thread" } }
}`;

test('a summary is a script: it returns rows, column types, cached results and errors', async () => {
  await using worker = await testWorker();
  const [threads] = await runScript(worker, COMPILE, 'SELECT CAST(count(*) AS REAL) FROM thread');
  const rows = await worker.client.rows(COMPILE, SUMMARY);
  expect(rows).toEqual([['threads', '{}', threads]]);
  expect(await runScript(worker, COMPILE, SUMMARY)).toEqual(['threads', 'result']);
  const types = worker.client.run({ sql: `${SUMMARY} `, mode: 'TYPES' });
  const [end] = await types.endsOf(types.add(COMPILE));
  types.call.end();
  await types.over;
  expect(end?.end.types?.column.map(({ name, cellKinds }) => [name.toString(), cellKinds])).toEqual(
    [
      ['metric_id', 1 << 4],
      ['dimensions', 1 << 4],
      ['value', 1 << 3],
    ],
  );
  const [message, code] = await runScript(
    worker,
    COMPILE,
    'SUMMARIZE TRACE metric_spec { nope: 1 }',
  );
  expect([code, message]).toEqual(['sql_failed', expect.stringContaining('nope')]);
});
