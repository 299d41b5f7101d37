/** Tests that the network policies are enforced. */
import { afterAll, beforeAll, test } from 'vitest';
import { addressOf, clientOf, mayConnect, removeClients, startClients } from './client-pod.ts';
import { kubectl, NAMESPACE, settled } from './cluster.ts';

const STRANGER = { name: 'stranger', namespace: NAMESPACE, labels: {} };
const DASHBOARD = {
  name: 'dashboard',
  namespace: NAMESPACE,
  labels: { 'bigtrace.dev/clickhouse-client': 'allowed' },
};
const OUTSIDER = { name: 'outsider', namespace: 'default', labels: {} };
const CLIENTS = [STRANGER, DASHBOARD, OUTSIDER];

beforeAll(async () => {
  await settled();
  await startClients(CLIENTS);
});
afterAll(() => removeClients(CLIENTS));

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
  [STRANGER, 'worker', 5052, false],
  [STRANGER, 'clickhouse', 8123, false],
  [DASHBOARD, 'worker', 5052, false],
  [DASHBOARD, 'clickhouse', 8123, true],
  [OUTSIDER, 'worker', 5052, false],
  [OUTSIDER, 'orchestrator', 5051, false],
  [OUTSIDER, 'clickhouse', 8123, false],
  [OUTSIDER, 'worker', 9464, true], // metrics
] as const)('the pod $name to %s, port %i: %s', async (from, to, port, allowed) => {
  await mayConnect(from, await addressOf(to), port, allowed);
});

test('a namespace with the label may connect to the orchestrator and to ClickHouse, not to workers', async () => {
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients=allowed');
  await mayConnect(OUTSIDER, await addressOf('clickhouse'), 8123, true);
  await mayConnect(OUTSIDER, await addressOf('orchestrator'), 5051, true);
  await mayConnect(OUTSIDER, await addressOf('worker'), 5052, false);
  await kubectl('label', 'namespace', 'default', 'bigtrace.dev/clients-');
});
