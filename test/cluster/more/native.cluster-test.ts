/** Tests workers with the compiled engine; the images must have been built with BIGTRACE_ENGINE_RUNTIME=native. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl, SAMPLES, settled, sql } from '../cluster.ts';

const QUESTION = `SELECT * FROM bigtrace(traces=['/local/**'], sql='
    SELECT name, count(*) AS n, sum(dur) AS ns, avg(dur) AS mean, max(ts) AS last, sum(dur * dur) * 1e-9 AS squares
    FROM slice GROUP BY name')
  ORDER BY ALL FORMAT TSV`;

const rollout = (): Promise<string> =>
  kubectl('rollout', 'status', 'deployment/worker', '--timeout', '280s');

const status = (): Promise<string> =>
  kubectl('exec', 'deployment/orchestrator', '--', 'node', '/app/dist/bigtrace.js', 'status');

beforeAll(settled);
afterAll(async () => {
  await kubectl('rollout', 'undo', 'deployment/worker');
  await rollout();
});

test('workers execute the compiled engine, and return the rows that V8 returns', async () => {
  await expect.poll(status, { timeout: 60_000 }).toMatch(/^engine runtime: native$/m);
  const compiled = await sql(QUESTION);
  await kubectl('set', 'env', 'deployment/worker', 'BIGTRACE_ENGINE_RUNTIME=v8');
  await rollout();
  await expect.poll(status, { timeout: 60_000 }).toMatch(/^engine runtime: v8$/m);
  expect(await sql(QUESTION)).toBe(compiled);
  const rows = compiled.trimEnd().split('\n');
  expect(new Set(rows.map((row) => row.split('\t')[0]))).toEqual(
    new Set(SAMPLES.filter(({ slices }) => slices > 0).map(({ address }) => address)),
  );
  console.log(`${rows.length} rows are equal`);
});
