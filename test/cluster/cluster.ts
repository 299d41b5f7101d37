/** The cluster that run.sh started, and the system in its namespace `bigtrace`. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { ROOT } from '../../lib/common/root.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 2 ** 26;
const SETTLE_MS_MAX = 300_000;
const POLL_MS = 500;
/** CPUs of the cluster of docs/deploy/kubernetes.md. */
const DOCUMENTED_CPUS = 4;
/** Request of processor time of each part, where there are fewer. */
export const SMALL_CPU = '50m';

export const NAMESPACE = 'bigtrace';
/** Directory of this run; `traces` in it is the node's directory /traces. */
export const STATE = process.env['CLUSTER_STATE'] ?? '';
if (STATE === '') throw new Error('there is no cluster; run npm run test:cluster');

export type Part = 'worker' | 'orchestrator' | 'http-api' | 'clickhouse';
export type User = 'admin' | 'analyst' | 'service';

export interface Pod {
  metadata: {
    name: string;
    uid: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
  };
  spec: { containers: { image: string }[] };
  status: {
    phase: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: {
      restartCount: number;
      containerID: string;
      lastState: { terminated?: { reason: string; exitCode: number } };
    }[];
  };
}

/** Runs kubectl in the namespace `bigtrace`, and returns its stdout. @throws with its stderr, if it fails */
export function kubectl(...args: string[]): Promise<string> {
  return kubectlWithInput('', ...args);
}

/** Runs kubectl with this text as its stdin. */
export async function kubectlWithInput(input: string, ...args: string[]): Promise<string> {
  const all = ['--namespace', NAMESPACE, ...args];
  const running = run('kubectl', all, { cwd: ROOT, maxBuffer: OUTPUT_BYTES_MAX });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Applies objects, each in its own namespace. */
export async function apply(...objects: object[]): Promise<string> {
  const file = join(STATE, 'objects.yaml');
  writeFileSync(file, objects.map((object) => stringify(object)).join('---\n'));
  return (await run('kubectl', ['apply', '--filename', file])).stdout;
}

export const isSmall = (): boolean => availableParallelism() < DOCUMENTED_CPUS;

/**
 * Returns a kustomization: the overlay minikube with components of k8s/components. A machine with fewer processors than
 * the documented cluster could not place all pods, so their requests of processor time, and nothing else, are lowered.
 */
export function overlay(...components: string[]): string {
  const directory = join(STATE, ['overlay', ...components].join('-'));
  const k8s = relative(directory, join(ROOT, 'k8s'));
  const request = (kind: string, name: string): object => ({
    target: { kind, name },
    patch: JSON.stringify([
      {
        op: 'replace',
        path: '/spec/template/spec/containers/0/resources/requests/cpu',
        value: SMALL_CPU,
      },
    ]),
  });
  const deployments = ['worker', 'orchestrator', 'http-api'];
  mkdirSync(directory, { recursive: true });
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: NAMESPACE,
    resources: [`${k8s}/overlays/minikube`],
    components: components.map((name) => `${k8s}/components/${name}`),
    patches: isSmall()
      ? [
          ...deployments.map((name) => request('Deployment', name)),
          request('StatefulSet', 'clickhouse'),
        ]
      : [],
  };
  writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization));
  return directory;
}

/** Returns the pods of a part of the system that are not being deleted. */
export async function podsOf(part: Part): Promise<Pod[]> {
  const label = `app.kubernetes.io/name=${part}`;
  const text = await kubectl('get', 'pods', '--selector', label, '--output', 'json');
  const { items } = JSON.parse(text) as { items: Pod[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export function isReady({ status }: Pod): boolean {
  return status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
}

/** Waits until the condition holds. @throws with the pods, if that takes more than five minutes */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + SETTLE_MS_MAX;
  while (!(await holds())) {
    if (Date.now() > end)
      throw new Error(`${what}: not so\n${await kubectl('get', 'pods', '-o', 'wide')}`);
    await sleep(POLL_MS);
  }
}

/** Waits until exactly `count` pods of a part exist, and are ready. */
export function ready(part: Part, count: number): Promise<void> {
  return until(`${count} ready pods of ${part}`, async () => {
    const pods = await podsOf(part);
    return pods.length === count && pods.every(isReady);
  });
}

/** Waits until exactly `count` workers exist and are ready, and no other one is left that drains and may still be asked. */
export function onlyWorkers(count: number): Promise<void> {
  const pods = ['get', 'pods', '--selector', 'app.kubernetes.io/name=worker', '--output', 'name'];
  return until(`${count} pods of worker`, async () => {
    const names = (await kubectl(...pods)).split('\n').filter((name) => name !== '');
    return names.length === count && (await podsOf('worker')).filter(isReady).length === count;
  });
}

/** Waits until all pods of the system are ready; a test that failed may have left a rollout behind. */
export async function settled(): Promise<void> {
  for (const object of ['statefulset/clickhouse', 'deployment/orchestrator', 'deployment/worker'])
    await kubectl('rollout', 'status', object, '--timeout', '280s');
}

/** Merges fields into the specification of the workers' autoscaler. */
export async function patchAutoscaler(spec: object): Promise<void> {
  const patch = JSON.stringify({ spec });
  await kubectl('patch', 'hpa', 'worker', '--type', 'merge', '--patch', patch);
}

/** Lets the autoscaler set the number of workers, and waits until so many are ready. */
export async function scaleWorkers(count: number): Promise<void> {
  await patchAutoscaler({ minReplicas: count, maxReplicas: count });
  await ready('worker', count);
}

/** Restarts the pods of a part as an operator does, and waits until the new ones are ready. */
export async function restart(part: Part): Promise<void> {
  const object = `${part === 'clickhouse' ? 'statefulset' : 'deployment'}/${part}`;
  await kubectl('rollout', 'restart', object);
  await kubectl('rollout', 'status', object, '--timeout', '280s');
}

export async function password(user: User): Promise<string> {
  const output = `jsonpath={.data.${user}}`;
  const encoded = await kubectl('get', 'secret', 'bigtrace-passwords', '--output', output);
  return Buffer.from(encoded, 'base64').toString();
}

/** Runs a query in ClickHouse over HTTP, as the analyst unless told; rejects with the text of ClickHouse's error. */
export async function sql(
  query: string,
  { user = 'analyst', as }: { user?: User; as?: string } = {},
): Promise<string> {
  const address = await kubectl(
    'get',
    'service',
    'clickhouse',
    '--output',
    'jsonpath={.spec.clusterIP}',
  );
  const response = await fetch(`http://${address}:8123`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': as ?? (await password(user)) },
    body: query,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** The traces of samples/traces, as samples/README.md lists them: address, rows of `slice`, rows of `sched`. */
export const SAMPLES = readFileSync(join(ROOT, 'samples/README.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| `(\S+)` \|.*\| (\d+) \| (\d+) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, path, slices, sched]) => ({
    address: `/local/${path}`,
    slices: Number(slices),
    sched: Number(sched),
  }))
  .toSorted((a, b) => (a.address < b.address ? -1 : 1));

/** An argument of `slowQuery` for which a trace takes a second or more. */
export const SECONDS_OF_WORK = 2_000_000;

const SAMPLE_PATTERNS = "'/local/chrome/*', '/local/linux/*', '/local/other/*'";

/** Returns a query that takes some seconds; a new `upTo` makes it one whose results are not cached. */
export function slowQuery(upTo: number): string {
  return `SELECT _trace_address, n
    FROM bigtrace_as(structure='n Int64', traces=[${SAMPLE_PATTERNS}], sql='
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${upTo})
      SELECT count(*) AS n FROM c')
    ORDER BY 1 FORMAT TSV`;
}

/** What `slowQuery` returns. */
export function slowRows(upTo: number): string {
  return SAMPLES.map(({ address }) => `${address}\t${upTo}\n`).join('');
}

/** Waits until ClickHouse runs a query that contains `text`. */
export function running(text: string): Promise<void> {
  return until(`a running query with ${text}`, async () => {
    const query = `SELECT count() FROM system.processes WHERE position(query, '${text}') > 0
      AND position(query, 'system.processes') = 0`;
    return Number(await sql(query, { user: 'admin' })) > 0;
  });
}

/** Waits until workers process traces of a query. @returns the addresses of these workers */
export async function processing(): Promise<string[]> {
  let workers: string[] = [];
  await until('a worker that processes a trace', async () => {
    const query = `SELECT DISTINCT arrayJoin(running).5 FROM bigtrace.progress FORMAT TSV`;
    const text = await sql(query, { user: 'admin' });
    workers = text.split('\n').filter((line) => line !== '');
    return workers.length > 0;
  });
  return workers;
}
