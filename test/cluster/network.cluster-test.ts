/** Tests that the network policies are enforced. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, isReady, kubectl, NAMESPACE, type Pod, podsOf, settled, until } from './cluster.ts';

const CLIENTS = [
  { name: 'stranger', namespace: NAMESPACE, labels: {} },
  {
    name: 'dashboard',
    namespace: NAMESPACE,
    labels: { 'bigtrace.dev/clickhouse-client': 'allowed' },
  },
  { name: 'outsider', namespace: 'default', labels: {} },
];
const TIMEOUT_MS = 3000;

let image = '';
const addresses: Record<string, string> = {};

beforeAll(async () => {
  await settled();
  for (const part of ['worker', 'orchestrator', 'clickhouse'] as const) {
    const [pod] = await podsOf(part);
    addresses[part] = pod?.status.podIP ?? '';
    if (part === 'worker') image = pod?.spec.containers[0]?.image ?? '';
  }
  await apply(
    ...CLIENTS.map((metadata) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'client', image, command: ['sleep', 'infinity'] }],
      },
    })),
  );
  for (const { name, namespace } of CLIENTS)
    await until(`pod ${name} is ready`, async () => {
      const text = await kubectl('get', 'pod', name, '--namespace', namespace, '--output', 'json');
      return isReady(JSON.parse(text) as Pod);
    });
});
afterAll(async () => {
  for (const { name, namespace } of CLIENTS)
    await kubectl('delete', 'pod', name, '--namespace', namespace, '--ignore-not-found');
});

/** Returns whether a pod can connect: `connected`, `dropped` after three seconds, or the code of the error. */
async function connect(
  pod: string,
  namespace: string,
  part: string,
  port: number,
): Promise<string> {
  const script = `
    const socket = require('node:net').connect(${port}, '${addresses[part]}');
    const tell = (text) => { console.log(text); process.exit(); };
    socket.on('connect', () => tell('connected'));
    socket.on('error', (error) => tell(error.code));
    setTimeout(() => tell('dropped'), ${TIMEOUT_MS});`;
  const command = ['exec', pod, '--namespace', namespace, '--', 'node', '-e', script];
  return (await kubectl(...command)).trim();
}

test.each([
  ['orchestrator', 'worker', 5052, true],
  ['http-api', 'worker', 5052, false],
  ['http-api', 'orchestrator', 5051, true],
  ['worker', 'orchestrator', 5051, false],
  ['worker', 'clickhouse', 8123, false],
] as const)('%s to %s, port %i: %s', async (from, to, port, allowed) => {
  const [pod] = await podsOf(from);
  const result = await connect(pod?.metadata.name ?? '', NAMESPACE, to, port);
  expect(result === 'connected').toBe(allowed);
});

test.each([
  ['stranger', NAMESPACE, 'worker', 5052, false],
  ['stranger', NAMESPACE, 'clickhouse', 8123, false],
  ['dashboard', NAMESPACE, 'worker', 5052, false],
  ['dashboard', NAMESPACE, 'clickhouse', 8123, true],
  ['outsider', 'default', 'worker', 5052, false],
  ['outsider', 'default', 'orchestrator', 5051, false],
  ['outsider', 'default', 'clickhouse', 8123, false],
  ['outsider', 'default', 'worker', 9464, true], // metrics
] as const)(
  'the pod %s of the namespace %s to %s, port %i: %s',
  async (pod, namespace, to, port, allowed) => {
    expect((await connect(pod, namespace, to, port)) === 'connected').toBe(allowed);
  },
);

test('a namespace with the label may connect to the orchestrator and to ClickHouse, not to workers', async () => {
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients=allowed');
  await until(
    'the label takes effect',
    async () => (await connect('outsider', 'default', 'clickhouse', 8123)) === 'connected',
  );
  expect(await connect('outsider', 'default', 'orchestrator', 5051)).toBe('connected');
  expect(await connect('outsider', 'default', 'worker', 5052)).not.toBe('connected');
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients-');
});
