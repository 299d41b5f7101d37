/** Tests the component keda with a stand-in for KEDA, and with its client: workers follow what waits, from and to none. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
  SAMPLES,
  SECONDS_OF_WORK,
  STATE,
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

/** Calls the orchestrators with the client of KEDA (keda-client/main.go). @returns the lines that it prints */
async function* kedaClient(): AsyncGenerator<{ call: string; answer: unknown }> {
  const where = ['get', 'service', 'orchestrator', '--output', 'jsonpath={.spec.clusterIP}'];
  const address = `${await kubectl(...where)}:5051`;
  const metadata = JSON.stringify({ tracesPerWorker: '4', traceBytesPerWorker: '1GiB' });
  const client = spawn(join(STATE, 'keda-client'), [address, metadata], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    for await (const line of createInterface(client.stdout))
      yield JSON.parse(line) as { call: string; answer: unknown };
  } finally {
    client.stdin.end();
  }
}

test("KEDA's own client understands the orchestrator, without a query, during one and after it", async () => {
  const begun = kedaClient();
  const next = async (): Promise<unknown[]> => {
    const { value } = await begun.next();
    return [value?.call, value?.answer];
  };
  const nothing = ['GetMetrics', { traces: 0, trace_bytes: 0 }];
  expect(await next()).toEqual(['GetMetricSpec', { traces: 4, trace_bytes: 2 ** 30 }]);
  expect(await next()).toEqual(['StreamMetricSpec', 'Unimplemented']);
  expect(await next()).toEqual(['IsActive', false]);
  expect(await next()).toEqual(nothing);
  expect(await next()).toEqual(['StreamIsActive', false]);
  expect(await next()).toEqual(nothing);

  const upTo = SECONDS_OF_WORK + 300;
  const query = sql(slowQuery(upTo));
  await Promise.all([
    expect(query).resolves.toBe(slowRows(upTo)),
    (async () => {
      expect(await next()).toEqual(['StreamIsActive', true]);
      const [call, metrics] = await next();
      expect(call).toBe('GetMetrics');
      const { traces } = metrics as { traces: number };
      expect(traces).toBeGreaterThan(0);
      expect(traces).toBeLessThanOrEqual(SAMPLES.length);
    })(),
  ]);
  expect(await next()).toEqual(['StreamIsActive', false]);
  expect(await next()).toEqual(nothing);
  await begun.return(undefined);
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
