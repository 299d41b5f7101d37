/** Tests that the logs of ClickHouse stay smaller than their volume, whose overflow would end the pod. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { kubectl, password, podsOf } from '../cluster.ts';

/** The `sizeLimit` of the volume in k8s/base/clickhouse.yaml. */
const VOLUME_BYTES = 2 ** 30;
const QUERY_BYTES = 3e6;
const AT_ONCE = 3;

async function url(): Promise<string> {
  const output = 'jsonpath={.spec.clusterIP}';
  const address = await kubectl('get', 'service', 'clickhouse', '--output', output);
  const settings = `log_queries_cut_to_length=${2 * QUERY_BYTES}&max_query_size=${2 * QUERY_BYTES}`;
  return `http://${address}:8123/?${settings}`;
}

/** Returns the files of the directory with their sizes. */
async function files(): Promise<Map<string, number>> {
  // A file may be removed before its size is read.
  const list = `cd /var/log/clickhouse-server; stat --format '%n %s' *; true`;
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

test('logs of twice the size of their volume are rotated, and the rotated ones removed, in time', async () => {
  const [before] = await podsOf('clickhouse');
  const target = await url();
  const headers = { 'X-ClickHouse-User': 'admin', 'X-ClickHouse-Key': await password('admin') };
  /** ClickHouse writes a query that fails several times, into both files. */
  const fail = async (): Promise<void> => {
    const text = randomBytes(QUERY_BYTES * 0.75).toString('base64');
    const body = `SELECT no_such_function('${text}')`;
    const response = await fetch(target, { method: 'POST', headers, body });
    expect(await response.text()).toContain('UNKNOWN_FUNCTION');
  };
  const empty = sum(await files());
  await fail();
  const written = sum(await files()) - empty;
  expect(written).toBeGreaterThan(4 * QUERY_BYTES);
  let left = Math.ceil((2 * VOLUME_BYTES) / written);
  const total = left * written;
  let largest = 0;
  const failAgain = async (): Promise<void> => {
    while (left-- > 0) await fail();
  };
  const watch = async (): Promise<void> => {
    while (left > 0) largest = Math.max(largest, sum(await files()));
  };
  await Promise.all([watch(), ...Array.from({ length: AT_ONCE }, failAgain)]);

  const names = [...(await files()).keys()];
  for (const name of ['clickhouse-server.log', 'clickhouse-server.err.log'])
    expect(names.filter((each) => each.startsWith(name))).toHaveLength(6);
  expect(largest).toBeLessThan(VOLUME_BYTES);
  const [after] = await podsOf('clickhouse');
  const identity = (pod = before): unknown[] => [
    pod?.metadata.uid,
    pod?.status.containerStatuses?.[0]?.restartCount,
  ];
  expect(identity(after)).toEqual(identity(before));
  const mb = (bytes: number): number => Math.round(bytes / 1e6);
  console.log(`of ${mb(total)} MB of logs, the volume had ${mb(largest)} MB at most`);
});
