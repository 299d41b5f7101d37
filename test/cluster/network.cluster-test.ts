/** Tests that the network policies are enforced. */
import { afterAll, beforeAll, test } from 'vitest';
import { addressOf, clientOf, mayConnect, removeClients, startClients } from './client-pod.ts';
import { kubectl, NAMESPACE, settled } from './cluster.ts';

const CLIENTS = {
  stranger: { name: 'stranger', namespace: NAMESPACE, labels: {} },
  dashboard: {
    name: 'dashboard',
    namespace: NAMESPACE,
    labels: { 'bigtrace.dev/clickhouse-client': 'allowed' },
  },
  outsider: { name: 'outsider', namespace: 'default', labels: {} },
};

beforeAll(async () => {
  await settled();
  await startClients(Object.values(CLIENTS));
});
afterAll(() => removeClients(Object.values(CLIENTS)));

test.each([
  ['orchestrator', 'worker', 5052, true],
  ['http-api', 'worker', 5052, false],
  ['http-api', 'orchestrator', 5051, true],
  ['worker', 'orchestrator', 5051, false],
  ['worker', 'clickhouse', 8123, false],
] as const)('%s to %s, port %i: %s', async (from, to, port, allowed) => {
  await mayConnect(await clientOf(from), await addressOf(to), port, allowed);
});

test.each([
  ['stranger', 'worker', 5052, false],
  ['stranger', 'clickhouse', 8123, false],
  ['dashboard', 'worker', 5052, false],
  ['dashboard', 'clickhouse', 8123, true],
  ['outsider', 'worker', 5052, false],
  ['outsider', 'orchestrator', 5051, false],
  ['outsider', 'clickhouse', 8123, false],
  ['outsider', 'worker', 9464, true], // metrics
] as const)('the pod %s to %s, port %i: %s', async (name, to, port, allowed) => {
  await mayConnect(CLIENTS[name], await addressOf(to), port, allowed);
});

test('a namespace with the label may connect to the orchestrator and to ClickHouse, not to workers', async () => {
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients=allowed');
  await mayConnect(CLIENTS.outsider, await addressOf('clickhouse'), 8123, true);
  await mayConnect(CLIENTS.outsider, await addressOf('orchestrator'), 5051, true);
  await mayConnect(CLIENTS.outsider, await addressOf('worker'), 5052, false);
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients-');
});
