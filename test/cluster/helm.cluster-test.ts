/** Tests that Helm installs the chart instead of the manifests, over the same volume, and that `helm test` succeeds. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HELM_OPTIONS, helmProgram, manifestsOf } from '../harness/kubernetes.ts';
import {
  isSmall,
  kubectl,
  kubectlWithInput,
  NAMESPACE,
  overlay,
  ready,
  SAMPLES,
  SMALL_CPU,
  settled,
  sql,
  until,
} from './cluster.ts';

const KEPT = 'SELECT n FROM bigtrace_results.before_helm';

const run = promisify(execFile);

async function helm(...args: string[]): Promise<string> {
  const all = [...args, '--namespace', NAMESPACE];
  return (await run(helmProgram(), all, HELM_OPTIONS)).stdout;
}

/** Runs `helm test`. @throws with the logs of its pod, if it fails */
async function helmTest(): Promise<string> {
  try {
    return await helm('test', 'bigtrace');
  } catch (error) {
    const logs = ['status', 'history'].map((container) =>
      kubectl('logs', 'test', '--container', container).catch(String),
    );
    throw new Error(
      ['helm test failed; its pod printed:', ...(await Promise.all(logs))].join('\n'),
      {
        cause: error,
      },
    );
  }
}

/** Removes the objects of the overlay; the namespace, the Secret and the volume of ClickHouse remain. */
async function removeManifests(): Promise<void> {
  const objects = manifestsOf(await kubectl('kustomize', overlay()));
  const text = objects
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => stringify(object));
  await kubectlWithInput(text.join('---\n'), 'delete', '--ignore-not-found', '--filename', '-');
  await until('no pods', async () => (await kubectl('get', 'pods', '--output', 'name')) === '');
}

beforeAll(async () => {
  await settled();
  await sql(
    'CREATE TABLE bigtrace_results.before_helm ENGINE = MergeTree ORDER BY n AS SELECT 42 AS n',
    {
      user: 'admin',
    },
  );
  await removeManifests();
});

test('helm install, helm test, and a query that returns the rows of all traces', async () => {
  const begun = Date.now();
  const seconds = (): number => Math.round((Date.now() - begun) / 1000);
  const cpus = ['worker', 'orchestrator', 'httpApi', 'clickhouse'].flatMap((part) => [
    '--set',
    `${part}.resources.requests.cpu=${SMALL_CPU}`,
  ]);
  const values = ['--values', 'charts/bigtrace/values-minikube.yaml', ...(isSmall() ? cpus : [])];
  await helm('install', 'bigtrace', 'charts/bigtrace', ...values);
  await Promise.all([
    ready('clickhouse', 1),
    ready('worker', 2),
    ready('orchestrator', 2),
    ready('http-api', 1),
  ]);
  const installed = seconds();
  expect(await helmTest()).toMatch(/^Phase: +Succeeded$/m);
  console.log(
    `all pods were ready ${installed} s after helm install; helm test ended after ${seconds()} s`,
  );

  const query = `SELECT _trace_address, slices, sched FROM bigtrace(traces=['/local/**'], sql='
    SELECT (SELECT count(*) FROM slice) AS slices, (SELECT count(*) FROM sched) AS sched') ORDER BY 1 FORMAT TSV`;
  const rows = SAMPLES.map(({ address, slices, sched }) => `${address}\t${slices}\t${sched}\n`);
  expect(await sql(query)).toBe(rows.join(''));
  expect(await sql(KEPT, { user: 'admin' })).toBe('42\n');
});
