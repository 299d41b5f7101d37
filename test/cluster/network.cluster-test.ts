/** Tests that the network policies are enforced. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, clientOf, mayConnect, removeClients, startClients } from './client-pod.ts';
import { kubectl, kubectlWithInput, NAMESPACE, settled } from './cluster.ts';

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

test('index ends after 10 s where packets to ClickHouse are dropped, and names the address', async () => {
  const { name } = CLIENTS.dashboard; // policies let it connect
  const address = await kubectl('get', 'pod', name, '--output', 'jsonpath={.status.podIP}');
  const rule = ['FORWARD', '--source', address, '--protocol', 'tcp', '--dport', '8123'];
  const iptables = (change: string): unknown =>
    execFileSync('iptables', ['--table', 'mangle', change, ...rule, '--jump', 'DROP']);
  iptables('--append'); // as other network plugins do; kube-router's policies refuse
  const begun = Date.now();
  const flags = ['--clickhouse', 'http://clickhouse:8123', '--password-file', '/dev/stdin'];
  const command = ['node', '/app/dist/bigtrace.js', 'index', ...flags, '/local/**'];
  const outcome = kubectlWithInput('unused', 'exec', '--stdin', name, '--', ...command);
  const told = await outcome.then(
    () => 'success',
    ({ stderr }: { stderr: string }) => stderr,
  );
  const seconds = (Date.now() - begun) / 1000;
  iptables('--delete');
  expect(told).toMatch(
    /ClickHouse at http:\/\/clickhouse:8123 cannot be reached: no connection to \S+ within 10000 ms/,
  );
  expect(seconds).toBeGreaterThan(10);
  expect(seconds).toBeLessThan(60);
  console.log(`index ended after ${seconds} s`);
});
