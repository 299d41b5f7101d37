/** Tests the component pod-deletion-cost: workers tell what their caches are worth, and may do nothing else. */
import { beforeAll, expect, test } from 'vitest';
import {
  kubectl,
  onlyWorkers,
  overlay,
  type Pod,
  podsOf,
  scaleWorkers,
  settled,
  sql,
  until,
} from './cluster.ts';

const COST = 'controller.kubernetes.io/pod-deletion-cost';
const ACCOUNT = 'system:serviceaccount:bigtrace:worker';

const costOf = ({ metadata }: Pod): number => Number(metadata.annotations?.[COST] ?? 0);

beforeAll(async () => {
  await settled();
  await kubectl('apply', '--kustomize', overlay('pod-deletion-cost'));
  await kubectl('rollout', 'status', 'deployment/worker', '--timeout', '280s');
  await scaleWorkers(3);
});

/** Sends a patch of a pod to the API server, with the account of the pod in which it runs; prints status and message. */
const PATCH_SCRIPT = `
  const { readFileSync } = require('node:fs');
  const account = (name) => readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/' + name, 'utf8');
  const [name, body] = process.argv.slice(1);
  require('node:https').request({
    method: 'PATCH',
    host: 'kubernetes.default.svc',
    path: '/api/v1/namespaces/bigtrace/pods/' + name,
    ca: account('ca.crt'),
    headers: { authorization: 'Bearer ' + account('token'), 'content-type': 'application/merge-patch+json' },
  }, async (response) => {
    let text = '';
    for await (const piece of response) text += piece;
    console.log(response.statusCode, JSON.parse(text).message ?? '');
  }).end(body);`;

/** Lets a worker's pod change the metadata of a pod; returns status and message. */
function patchFrom(pod: Pod, target: Pod, metadata: object): Promise<string> {
  const command = ['node', '-e', PATCH_SCRIPT, target.metadata.name, JSON.stringify({ metadata })];
  return kubectl('exec', pod.metadata.name, '--', ...command);
}

test('a worker may patch pods, and nothing else', async () => {
  const may = (...what: string[]): Promise<string> =>
    kubectl('auth', 'can-i', ...what, `--as=${ACCOUNT}`).then(
      (stdout) => stdout.trim(),
      ({ stdout }: { stdout: string }) => stdout.trim(),
    );
  expect(await may('patch', 'pods')).toBe('yes');
  for (const verb of ['get', 'list', 'create', 'update', 'delete'])
    expect(await may(verb, 'pods')).toBe('no');
  for (const kind of ['secrets', 'deployments', 'nodes'])
    expect(await may('patch', kind)).toBe('no');
  expect(await may('create', 'pods', '--subresource=exec')).toBe('no');
});

test('the admission policy allows a worker the annotation of its own pod only', async () => {
  const [own, other] = await podsOf('worker');
  if (own === undefined || other === undefined) throw new Error('there are no two workers');
  const cost = { annotations: { [COST]: String(costOf(own) + 1) } };
  expect(await patchFrom(own, own, cost)).toBe('200 \n');
  expect(await patchFrom(own, other, cost)).toContain('a worker may change its own pod only');
  const refused = 'a worker may change the annotation pod-deletion-cost only';
  expect(await patchFrom(own, own, { labels: { a: 'b' } })).toContain(refused);
  expect(await patchFrom(own, own, { annotations: { a: 'b' } })).toContain(refused);
});

test('the worker whose caches are worth most remains when workers are removed', async () => {
  await kubectl('rollout', 'restart', 'deployment/worker');
  await kubectl('rollout', 'status', 'deployment/worker', '--timeout', '280s');
  await onlyWorkers(3);
  const trace = '/local/linux/deflate-find.pftrace';
  const query = `SELECT n FROM bigtrace(traces=['${trace}'], sql='SELECT count(*) AS n FROM slice')`;
  expect(await sql(query)).toBe('67231\n');
  let valuable: Pod[] = [];
  await until('a worker told its cost', async () => {
    valuable = (await podsOf('worker')).filter((pod) => costOf(pod) > 0);
    return valuable.length > 0;
  });
  expect(valuable).toHaveLength(1); // the trace is loaded in one worker
  await scaleWorkers(1);
  expect((await podsOf('worker')).map(({ metadata }) => metadata.uid)).toEqual([
    valuable[0]?.metadata.uid,
  ]);
});
