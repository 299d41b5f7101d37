/** Tests that snapshots outlive workers: a volume that all mount has what the replaced ones parsed. */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { largeTrace, largeTraceOf } from '../../corpus/large-trace.ts';
import {
  apply,
  kubectl,
  NAMESPACE,
  onlyWorkers,
  podsOf,
  STATE,
  settled,
  sql,
  until,
} from '../cluster.ts';

const TRACE = largeTraceOf(60e6);
const traces = join(STATE, 'traces/shared');
const volume = join(STATE, 'shared-snapshots');
/** Where the workers mount the volume. */
const MOUNTED = '/var/cache/shared';

const NODE = {
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node1'] }] },
    ],
  },
};
const CLAIM = {
  accessModes: ['ReadWriteMany'],
  storageClassName: 'standard',
};

beforeAll(async () => {
  await settled();
  mkdirSync(traces);
  const file = openSync(join(traces, 'large.pftrace'), 'w');
  for (const piece of largeTrace(TRACE)) writeSync(file, piece);
  closeSync(file);
  mkdirSync(volume);
  chmodSync(volume, 0o777);
  await apply(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'shared-snapshots' },
      spec: { ...CLAIM, capacity: { storage: '5Gi' }, local: { path: volume }, nodeAffinity: NODE },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'shared-snapshots', namespace: NAMESPACE },
      spec: {
        ...CLAIM,
        volumeName: 'shared-snapshots',
        resources: { requests: { storage: '5Gi' } },
      },
    },
  );
  const env = [
    { name: 'BIGTRACE_SHARED_SNAPSHOTS', value: MOUNTED },
    { name: 'BIGTRACE_WRITE_SHARED_SNAPSHOTS', value: 'true' },
  ];
  const volumeMounts = [{ name: 'shared', mountPath: MOUNTED }];
  const volumes = [{ name: 'shared', persistentVolumeClaim: { claimName: 'shared-snapshots' } }];
  const pod = { containers: [{ name: 'worker', env, volumeMounts }], volumes };
  const patch = JSON.stringify({ spec: { template: { spec: pod } } });
  await kubectl('patch', 'deployment', 'worker', '--patch', patch);
  await kubectl('rollout', 'status', 'deployment/worker', '--timeout', '280s');
});
afterAll(async () => {
  await kubectl('rollout', 'undo', 'deployment/worker');
  await kubectl('rollout', 'status', 'deployment/worker', '--timeout', '280s');
  await kubectl('delete', 'persistentvolumeclaim', 'shared-snapshots');
  await kubectl('delete', 'persistentvolume', 'shared-snapshots');
  rmSync(traces, { recursive: true });
  rmSync(volume, { recursive: true });
});

/** Runs a script on the large trace; `note` makes it one whose result is not cached. Returns the seconds it took. */
async function seconds(note: string): Promise<number> {
  const begun = Date.now();
  const script = `SELECT count(*) AS n, sum(dur) AS ns FROM slice /* ${note} */`;
  const types = "structure='n Int64, ns Int64'"; // otherwise the trace is also asked for them
  const query = `SELECT n, ns FROM bigtrace_as(${types}, traces=['/local/shared/*'], sql='${script}') FORMAT TSV`;
  expect(await sql(query)).toBe(`${TRACE.slices}\t${TRACE.slices * TRACE.sliceNs}\n`);
  return (Date.now() - begun) / 1000;
}

/** Returns how many traces all workers have parsed, and restored from a snapshot, since they started. */
async function tiers(): Promise<{ parse: number; snapshot: number }> {
  const sums = { parse: 0, snapshot: 0 };
  for (const { status } of await podsOf('worker')) {
    const metrics = await (await fetch(`http://${status.podIP}:9464/metrics`)).text();
    for (const tier of ['parse', 'snapshot'] as const) {
      const value = RegExp(`^bigtrace_worker_results_total{tier="${tier}"} (\\d+)$`, 'm').exec(
        metrics,
      );
      sums[tier] += Number(value?.[1]);
    }
  }
  return sums;
}

test('all workers are replaced: the new ones fetch the snapshot of a trace, and do not parse it', async () => {
  const parsing = await seconds('parsing');
  await until('a shared snapshot', async () =>
    readdirSync(volume).some((name) => !name.endsWith('.unfinished')),
  );
  expect(await tiers()).toEqual({ parse: 1, snapshot: 0 });

  const before = (await podsOf('worker')).map(({ metadata }) => metadata.name);
  await kubectl('delete', 'pods', '--wait=false', ...before);
  await onlyWorkers(before.length);
  const fetching = await seconds('fetching');
  expect(await tiers()).toEqual({ parse: 0, snapshot: 1 });
  console.log(
    `a trace of ${TRACE.bytes / 1e6} MB: the first query took ${parsing} s with parsing, and ${fetching} s with the snapshot that new workers fetched`,
  );
});
