/** Runs of `bigtrace materialize` over a real ClickHouse that fail, or wait for another run, at any statement. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf, startTestEngine, type TestEngine } from '../../../clickhouse/testing/engine.ts';
import { type MaterializePlan, materialize } from '../../../http-api/materialize/materialize.ts';
import { openDatabase } from '../../../http-api/queries/database.ts';
import { parseSettings } from '../../../http-api/settings.ts';
import { BigtraceError } from '../../../lib/common/errors.ts';
import {
  asked,
  delayedAt,
  type Hook,
  hooked,
  losingEachResponse,
} from '../../harness/http-replica.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
  await t.as('admin').insert({
    table: 'bigtrace.trace_catalog',
    values: ['a', 'b'].map((name) => ({ address: `/local/${name}`, store: 'local' })),
    format: 'JSONEachRow',
  });
});
afterAll(() => t[Symbol.asyncDispose]());

function planOf(name: string): MaterializePlan {
  const settings = parseSettings([{ setting_id: 'traces', values: ['/local/*'] }]);
  const { perfettoSql } = asked('row /local/a n=1; row /local/b n=2; end');
  return { name, sql: perfettoSql, settings, structure: undefined };
}

async function run(name: string, hook: Hook = () => {}): Promise<void> {
  const login = { username: 'admin', password: t.engine.passwords.admin };
  const database = openDatabase({ url: `http://${t.engine.httpAddress}`, ...login });
  try {
    await materialize(planOf(name), hooked(database, hook), () => {});
  } finally {
    await database.close();
  }
}

/** Expects that the table has each row once, and that no other table is left. */
async function expectWhole(name: string, about: string): Promise<void> {
  const admin = t.as('admin');
  const rows = await rowsOf(admin, `SELECT n FROM bigtrace_results.${name} ORDER BY n`);
  expect(rows, about).toEqual([['1'], ['2']]);
  const tables = `SELECT name FROM system.tables WHERE database = 'bigtrace_results' ORDER BY name`;
  expect(await rowsOf(admin, tables), about).toEqual([[name], [`${name}_rows`]]);
  await admin.command({ query: `DROP VIEW bigtrace_results.${name}` });
  await admin.command({ query: `DROP TABLE bigtrace_results.${name}_rows` });
}

test('what a run has left that lost the response to any change, the next run completes', async () => {
  await losingEachResponse(
    (hook) => run('lost', hook),
    async (about) => {
      await run('lost');
      await expectWhole('lost', about);
    },
  );
});

test('a run that waits for another one before any change has each row once', async () => {
  for (let n = 1, wasDelayed = () => true; wasDelayed(); n += 1) {
    const delayed = delayedAt(n, () => run('shared'));
    wasDelayed = delayed.wasDelayed;
    await run('shared', delayed.hook);
    await expectWhole('shared', `change ${n}`);
  }
});

test('a run that fails drops no rows of a run that went on meanwhile', async () => {
  const failing = run('failed', async (_, when, statement) => {
    if (when === 'after' && /^INSERT INTO bigtrace_results/.test(statement))
      throw new BigtraceError('worker_lost', 'the worker burnt');
    if (when === 'before' && statement.startsWith('DROP TABLE')) await run('failed');
  });
  await expect(failing).rejects.toThrow('the worker burnt');
  await expectWhole('failed', '');
});
