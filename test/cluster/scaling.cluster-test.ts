/** Tests that queries return every row exactly once while workers are added, removed and killed. */
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import {
  kubectl,
  onlyWorkers,
  podsOf,
  processing,
  ready,
  running,
  SECONDS_OF_WORK,
  scaleWorkers,
  slowQuery,
  slowRows,
  sql,
  until,
} from './cluster.ts';

beforeAll(() => scaleWorkers(3));

test('3 workers, 1 and 3 again: running queries return every row once', async () => {
  for (const [at, count] of [1, 3].entries()) {
    const upTo = SECONDS_OF_WORK + at;
    const query = sql(slowQuery(upTo));
    await processing();
    await Promise.all([expect(query).resolves.toBe(slowRows(upTo)), scaleWorkers(count)]);
  }
});

test('a worker is killed during a query: it returns every row once, and the pod starts again', async () => {
  const upTo = SECONDS_OF_WORK + 10;
  const query = sql(slowQuery(upTo));
  const [address] = await processing();
  const victim = (await podsOf('worker')).find(({ status }) => `${status.podIP}:5052` === address);
  const container = victim?.status.containerStatuses?.[0];
  const id = container?.containerID.replace('containerd://', '') ?? '';
  const ctr = ['--address', '/run/containerd.sock', '--namespace', 'k8s.io'];
  execFileSync('ctr', [...ctr, 'tasks', 'kill', '--signal', 'SIGKILL', id]);
  expect(await query).toBe(slowRows(upTo));
  const restarted = async (): Promise<boolean> => {
    const after = (await podsOf('worker')).find(
      ({ metadata }) => metadata.uid === victim?.metadata.uid,
    );
    const state = after?.status.containerStatuses?.[0];
    return state?.restartCount === 1 && state.lastState.terminated?.exitCode === 137;
  };
  await until('the container of the killed worker starts again', restarted);
  await ready('worker', 3);
});

test('a query of no workers waits, and returns its rows after some were started', async () => {
  await kubectl('scale', 'deployment/worker', '--replicas=0');
  await onlyWorkers(0);
  const upTo = 1234;
  let ended = false;
  const query = sql(slowQuery(upTo)).finally(() => {
    ended = true;
  });
  await running(String(upTo));
  expect(ended).toBe(false);
  await kubectl('scale', 'deployment/worker', '--replicas=3');
  await Promise.all([expect(query).resolves.toBe(slowRows(upTo)), ready('worker', 3)]);
});
