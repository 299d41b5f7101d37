/** Tests that passwords are changed as docs/deploy/operating.md says, without a restart of other services. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import {
  kubectl,
  kubectlWithInput,
  password,
  podsOf,
  restart,
  SAMPLES,
  settled,
  sql,
  until,
} from './cluster.ts';

/** A query for which the orchestrator reads the catalog as the user `service`. */
const CATALOG_QUERY = `SELECT count() FROM bigtrace_where(filter='true', sql='SELECT 1 AS one')`;

/** Fills the catalog as docs/deploy/kubernetes.md says. */
async function index(): Promise<void> {
  const command = [
    'exec',
    '--stdin',
    'deployment/orchestrator',
    '--',
    'node',
    '/app/dist/bigtrace.js',
    'index',
  ];
  const options = ['--clickhouse', 'http://clickhouse:8123', '--password-file', '/dev/stdin'];
  await kubectlWithInput(await password('admin'), ...command, ...options, '/local/linux/*');
}

beforeAll(settled);

test('after a change of all passwords, the new ones are valid and the orchestrators read the catalog', async () => {
  await index();
  const linux = SAMPLES.filter(({ address }) => address.startsWith('/local/linux/')).length;
  expect(await sql(CATALOG_QUERY)).toBe(`${linux}\n`);
  const pods = await podsOf('orchestrator');

  const old = await password('analyst');
  const data = Object.fromEntries(
    ['admin', 'analyst', 'service'].map((user) => [
      user,
      Buffer.from(randomUUID()).toString('base64'),
    ]),
  );
  await kubectl(
    'patch',
    'secret',
    'bigtrace-passwords',
    '--type',
    'merge',
    '--patch',
    JSON.stringify({ data }),
  );
  const expected = Buffer.from(data['service'] ?? '', 'base64').toString();
  for (const { metadata } of pods)
    await until('the orchestrator has the new password', async () => {
      const file = ['cat', '/run/secrets/bigtrace/service'];
      return (await kubectl('exec', metadata.name, '--', ...file)) === expected;
    });
  await restart('clickhouse');

  expect(await sql(CATALOG_QUERY)).toBe(`${linux}\n`);
  await expect(sql('SELECT 1', { as: old })).rejects.toThrow('Authentication failed');
  const uids = (await podsOf('orchestrator')).map(({ metadata }) => metadata.uid).toSorted();
  expect(uids).toEqual(pods.map(({ metadata }) => metadata.uid).toSorted());
});
