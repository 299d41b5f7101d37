/** Tests that the overlay minikube is installed, and that a query through ClickHouse returns exact rows. */
import { expect, test } from 'vitest';
import { isReady, kubectl, overlay, type Part, podsOf, SAMPLES, sql } from './cluster.ts';

/** Lists each object with its generation, which a change of its specification increases. */
const PATH =
  'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation}{"\\n"}{end}';

const PARTS: [Part, number][] = [
  ['worker', 2],
  ['orchestrator', 2],
  ['http-api', 1],
  ['clickhouse', 1],
];

test.each(PARTS)('all pods of %s are ready, and have not restarted', async (part, count) => {
  const pods = await podsOf(part);
  expect(pods.map(isReady)).toEqual(Array(count).fill(true));
  for (const { status } of pods)
    expect(status.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
});

test('applying the manifests again changes no object', async () => {
  const generations = (): Promise<string> =>
    kubectl(
      'get',
      'deployments,statefulsets,poddisruptionbudgets,networkpolicies',
      '--output',
      PATH,
    );
  const before = await generations();
  expect(before.trimEnd().split('\n').length).toBeGreaterThan(10);
  expect(await kubectl('diff', '--kustomize', overlay())).toBe('');
  await kubectl('apply', '--kustomize', overlay());
  expect(await generations()).toBe(before);
});

test('a query through ClickHouse returns the rows of all traces', async () => {
  expect(SAMPLES).toHaveLength(12);
  const query = `SELECT _trace_address, slices, sched FROM bigtrace(traces=['/local/**'], sql='
    SELECT (SELECT count(*) FROM slice) AS slices, (SELECT count(*) FROM sched) AS sched') ORDER BY 1 FORMAT TSV`;
  const rows = SAMPLES.map(({ address, slices, sched }) => `${address}\t${slices}\t${sched}\n`);
  expect(await sql(query)).toBe(rows.join(''));
});

test('ClickHouse refuses a wrong password', async () => {
  await expect(sql('SELECT 1', { as: 'wrong' })).rejects.toThrow('Authentication failed');
});
