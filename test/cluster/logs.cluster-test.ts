/** Tests that the logs of ClickHouse stay smaller than their volume, whose overflow would end the pod. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { kubectl, password, podsOf } from './cluster.ts';

/** The `sizeLimit` of the volume in k8s/base/clickhouse.yaml. */
const VOLUME_BYTES = 2 ** 30;
/** ClickHouse writes a failed query eight times into its two files: about 24 MB. */
const QUERY_BYTES = 3e6;
const QUERIES = 60;
const AT_ONCE = 3;

async function url(): Promise<string> {
  const output = 'jsonpath={.spec.clusterIP}';
  const address = await kubectl('get', 'service', 'clickhouse', '--output', output);
  const settings = `log_queries_cut_to_length=${2 * QUERY_BYTES}&max_query_size=${2 * QUERY_BYTES}`;
  return `http://${address}:8123/?${settings}`;
}

/** Returns the files of the directory with their sizes. */
async function files(): Promise<Map<string, number>> {
  const list = `cd /var/log/clickhouse-server; stat --format '%n %s' *`;
  const lines = await kubectl('exec', 'clickhouse-0', '--', 'sh', '-c', list);
  return new Map(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', bytes]) => [name, Number(bytes)]),
  );
}

const sum = (sizes: Map<string, number>): number =>
  [...sizes.values()].reduce((total, bytes) => total + bytes, 0);

test('logs of more than the size of their volume are rotated, and the rotated ones removed, in time', async () => {
  const [before] = await podsOf('clickhouse');
  const target = await url();
  const headers = { 'X-ClickHouse-User': 'admin', 'X-ClickHouse-Key': await password('admin') };
  let left = QUERIES;
  let largest = 0;
  const fail = async (): Promise<void> => {
    while (left-- > 0) {
      const text = randomBytes(QUERY_BYTES * 0.75).toString('base64');
      const body = `SELECT no_such_function('${text}')`;
      const response = await fetch(target, { method: 'POST', headers, body });
      expect(await response.text()).toContain('UNKNOWN_FUNCTION');
    }
  };
  const watch = async (): Promise<void> => {
    while (left > 0) largest = Math.max(largest, sum(await files()));
  };
  await Promise.all([watch(), ...Array.from({ length: AT_ONCE }, fail)]);
  const after = await files();
  const names = ['clickhouse-server.err.log', 'clickhouse-server.log'].flatMap((name) => [
    name,
    ...[0, 1, 2, 3, 4].map((number) => `${name}.${number}.gz`),
  ]);
  expect([...after.keys()]).toEqual(names.toSorted());
  largest = Math.max(largest, sum(after));
  expect(largest).toBeLessThan(VOLUME_BYTES);
  const [pod] = await podsOf('clickhouse');
  expect(pod?.metadata.uid).toBe(before?.metadata.uid);
  expect(pod?.status.containerStatuses?.[0]?.restartCount).toBe(
    before?.status.containerStatuses?.[0]?.restartCount,
  );
  console.log(`the logs had ${Math.round(largest / 1e6)} MB at most`);
});
