/** Tests the component keda with a stand-in for KEDA: workers follow what waits, from and to none. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, mayConnect, removeClients, startClients } from './client-pod.ts';
import {
  apply,
  isReady,
  kubectl,
  onlyWorkers,
  overlay,
  podsOf,
  running,
  SECONDS_OF_WORK,
  scaleWorkers,
  settled,
  slowQuery,
  slowRows,
  sql,
  until,
} from './cluster.ts';
import { startKeda } from './stand-ins/keda.ts';

const KEDA = { name: 'keda-operator', namespace: 'keda', labels: {} };
const WORKERS_MAX = 3;

/** Times that a test can wait for, and so few traces per worker that the samples need three. */
const QUICK = {
  spec: {
    maxReplicaCount: WORKERS_MAX,
    cooldownPeriod: 5,
    advanced: {
      horizontalPodAutoscalerConfig: {
        behavior: { scaleUp: { policies: [{ type: 'Percent', value: 300, periodSeconds: 15 }] } },
      },
    },
    triggers: [
      {
        type: 'external-push',
        metadata: {
          scalerAddress: 'orchestrator.bigtrace:5051',
          tracesPerWorker: '4',
          traceBytesPerWorker: '8GiB',
        },
      },
    ],
  },
};

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scaledobjects.keda.sh' },
  spec: {
    group: 'keda.sh',
    scope: 'Namespaced',
    names: { kind: 'ScaledObject', plural: 'scaledobjects', singular: 'scaledobject' },
    versions: [
      {
        ...{ name: 'v1alpha1', served: true, storage: true },
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};

beforeAll(async () => {
  await settled();
  await apply(DEFINITION, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'keda' } });
  await kubectl('wait', '--for=condition=Established', 'crd/scaledobjects.keda.sh');
  await kubectl('delete', 'hpa', 'worker'); // two autoscalers would contradict each other
  await kubectl('apply', '--kustomize', overlay('keda'));
  const patch = JSON.stringify(QUICK);
  await kubectl('patch', 'scaledobject', 'worker', '--type', 'merge', '--patch', patch);
  await settled();
  await startClients([KEDA]);
});
afterAll(async () => {
  await removeClients([KEDA]);
  await kubectl('delete', 'scaledobject', 'worker');
  await kubectl('delete', 'networkpolicy', 'keda');
  await kubectl('apply', '--kustomize', overlay());
  await kubectl('scale', 'deployment/worker', '--replicas=1'); // an autoscaler leaves no workers as they are
  await scaleWorkers(2);
  await settled();
});

/** Waits until this many workers are wanted. @returns the seconds since `begun` */
async function wanted(count: number, begun: number): Promise<number> {
  const output = 'jsonpath={.spec.replicas}';
  await until(
    `${count} workers`,
    async () => (await kubectl('get', 'deployment', 'worker', '-o', output)) === String(count),
  );
  return Math.round((Date.now() - begun) / 1000);
}

test('pods of the namespace keda may connect to the orchestrator, and not to workers', async () => {
  await mayConnect(KEDA, await addressOf('orchestrator'), 5051, true);
  await mayConnect(KEDA, await addressOf('worker'), 5052, false);
});

test('no worker without a query; a query waits, workers follow its traces, and it returns every row once', async () => {
  await using keda = await startKeda();
  const scaled = async (): Promise<string> => {
    await wanted(0, Date.now());
    await onlyWorkers(0);

    const begun = Date.now();
    const upTo = 4 * SECONDS_OF_WORK;
    const query = sql(slowQuery(upTo));
    query.catch(() => {});
    await running(String(upTo));
    const one = await wanted(1, begun);
    await until('a ready worker', async () => (await podsOf('worker')).some(isReady));
    const first = Math.round((Date.now() - begun) / 1000);
    const all = await wanted(WORKERS_MAX, begun);
    expect(await query).toBe(slowRows(upTo));
    const answered = Math.round((Date.now() - begun) / 1000);
    const none = await wanted(0, Date.now());
    return `from the query: 1 worker after ${one} s, ready after ${first} s, ${WORKERS_MAX} after ${all} s, rows after ${answered} s; none ${none} s later`;
  };
  console.log(await Promise.race([scaled(), keda.failed]));
});
