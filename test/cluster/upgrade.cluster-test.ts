/**
 * Tests that versions one apart work together, and that an upgrade and its rollback end no query. The previous version
 * is built by run.sh from CLUSTER_PREVIOUS, by default the newest tag; without it, these tests are skipped.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  kubectl,
  type Part,
  processing,
  SECONDS_OF_WORK,
  settled,
  slowQuery,
  slowRows,
  sql,
} from './cluster.ts';

const PREVIOUS = process.env['CLUSTER_PREVIOUS'] ?? '';
const CURRENT_TAG = '0.1.0';

const objectOf = (part: Part): string =>
  `${part === 'clickhouse' ? 'statefulset' : 'deployment'}/${part}`;

/** Replaces the image of a part, and waits until all its pods have it. */
async function setVersion(part: Part, tag: string): Promise<void> {
  await kubectl('set', 'image', objectOf(part), `${part}=bigtrace/${part}:${tag}`);
  await kubectl('rollout', 'status', objectOf(part), '--timeout', '280s');
}

async function rollBack(part: Part): Promise<void> {
  await kubectl('rollout', 'undo', objectOf(part));
  await kubectl('rollout', 'status', objectOf(part), '--timeout', '280s');
}

let queries = 0;
const nextUpTo = (): number => SECONDS_OF_WORK + 1000 + ++queries;

async function expectRows(): Promise<void> {
  const upTo = 5000 + ++queries;
  expect(await sql(slowQuery(upTo))).toBe(slowRows(upTo));
}

/** Runs a query during a change of a version; it must return every row once. */
async function during(change: () => Promise<void>): Promise<void> {
  const upTo = nextUpTo();
  const query = sql(slowQuery(upTo));
  await processing();
  await Promise.all([expect(query).resolves.toBe(slowRows(upTo)), change()]);
  await expectRows();
}

describe.skipIf(PREVIOUS === '')(
  `the previous version, ${PREVIOUS || 'which was not built'}`,
  () => {
    beforeAll(settled);
    afterAll(async () => {
      for (const part of ['worker', 'orchestrator', 'clickhouse'] as const)
        await setVersion(part, CURRENT_TAG);
    });

    test('the bridge of the previous version and the other services of this one', async () => {
      await setVersion('clickhouse', 'previous');
      await expectRows();
    });

    test('an upgrade from the previous version, part by part, with a query during each', async () => {
      for (const part of ['orchestrator', 'worker'] as const) await setVersion(part, 'previous');
      await expectRows();
      for (const part of ['worker', 'orchestrator'] as const)
        await during(() => setVersion(part, CURRENT_TAG));
      await setVersion('clickhouse', CURRENT_TAG);
      await expectRows();
    });

    test('the rollback of the workers and the orchestrators, with a query during each', async () => {
      for (const part of ['orchestrator', 'worker'] as const) await during(() => rollBack(part));
    });
  },
);
