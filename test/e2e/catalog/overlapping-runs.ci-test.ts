/**
 * Tests that `bigtrace materialize` and `bigtrace index` produce the same tables after runs were killed at any
 * statement, and when several runs overlap. BIGTRACE_TEST_ROUNDS sets the number of rounds; the default is 6.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CatalogStore } from '../../../catalog/catalog-store.ts';
import { runIndex } from '../../../catalog/index-run.ts';
import { type MaterializePlan, materialize } from '../../../http-api/materialize/materialize.ts';
import { openDatabase } from '../../../http-api/queries/database.ts';
import { parseSettings } from '../../../http-api/settings.ts';
import { ClickHouse } from '../../../lib/clickhouse/client.ts';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { writeTraces } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';

const ROUNDS = Number(process.env['BIGTRACE_TEST_ROUNDS'] ?? 6);
/** The number of concurrent rounds, if each round has its own table. */
const LANES = 4;
const ROUNDS_TIMEOUT = { timeout: 600_000 + ROUNDS * 60_000 };
const SQL = 'SELECT name, dur FROM slice';
const STRUCTURE = 'name Nullable(String), dur Nullable(Int64)';

let system: System;
let traces: string;
let orchestrator: OrchestratorClient;
let table = 0;

beforeAll(async () => {
  traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'], 'c.json': ['four'] });
  system = await startSystem({ traces, workers: 1 });
  orchestrator = new OrchestratorClient(system.orchestrator, {});
  await index();
});
afterAll(async () => {
  orchestrator?.close();
  await system?.stop();
  rmSync(traces, { recursive: true });
});
beforeEach(() => {
  table += 1;
});

class Killed extends Error {}

/** When a run is killed: between two statements, or while the server executes one. */
type Moment = 'between' | 'within';

/** Sends a statement and ignores its result. */
function sendIgnoringErrors(statement: () => unknown): void {
  const sent = statement();
  const first = sent instanceof Promise ? sent : (sent as AsyncGenerator).next();
  first.catch(() => {});
}

/**
 * Simulates SIGKILL: returns a proxy that passes `statements` method calls on and then throws Killed at every call, so
 * that nothing more reaches the server. For `within` it still sends the statement at which the run is killed.
 * @param ran its `all` is set to false when a call is not passed on
 */
function killedAfter<T extends object>(
  target: T,
  statements: number,
  ran: { all: boolean },
  moment: Moment = 'between',
): T {
  let left = statements;
  return new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === 'close') return value.apply(object, args);
        left -= 1;
        if (left >= 0) return value.apply(object, args);
        if (left === -1 && moment === 'within') sendIgnoringErrors(() => value.apply(object, args));
        ran.all = false;
        throw new Killed();
      };
    },
  });
}

async function untilNotKilled(
  run: (statements: number, ran: { all: boolean }) => Promise<unknown>,
) {
  let statements = 0;
  for (const ran = { all: false }; !ran.all; statements++) {
    ran.all = true;
    await unlessKilled(run(statements, ran), ran);
  }
  return statements;
}

/** Returns when a round kills one of its runs. 28 rounds cover every statement of a run, before and within it. */
function killOf(round: number): [statements: number, moment: Moment] {
  return [Math.floor(round / 2) % 14, round % 2 === 0 ? 'between' : 'within'];
}

/** Waits for a run; ignores its error if it was killed. */
async function unlessKilled(run: Promise<unknown>, ran: { all: boolean }): Promise<void> {
  await run.catch((thrown: unknown) => {
    if (ran.all) throw thrown;
  });
}

const login = () => ({
  url: system.clickhouseHttp,
  username: 'admin',
  password: system.adminPassword,
});

function plan(of: number, structure?: string): MaterializePlan {
  return {
    name: `table_${of}`,
    sql: SQL,
    settings: parseSettings([{ setting_id: 'traces', values: ['/local/**'] }]),
    structure,
  };
}

async function materialized(
  wrap: (database: ClickHouse) => ClickHouse = (one) => one,
  { of = table, structure }: { of?: number; structure?: string | undefined } = {},
): Promise<void> {
  const database = openDatabase(login());
  try {
    await materialize(plan(of, structure), wrap(database), () => {});
  } finally {
    await database.close();
  }
}

async function index(
  extraSql?: string,
  wrap: (client: ClickHouse) => ClickHouse = (one) => one,
): Promise<void> {
  const client = new ClickHouse(login());
  try {
    await runIndex(
      { addresses: ['/local/**'], ...(extraSql === undefined ? {} : { extraSql }) },
      {
        client: orchestrator,
        store: new CatalogStore(wrap(client)),
        signal: new AbortController().signal,
        onProgress: () => {},
      },
    );
  } finally {
    await client.close();
  }
}

/**
 * Checks that the table has all rows, and that another run changes nothing.
 * @param rowsLeft a run was killed: its rows may remain, invisible, until their trace is queried again
 */
async function expectWhole({ rowsLeft = false, of = table, about = '' } = {}): Promise<void> {
  const rows = `SELECT _trace_address || ' ' || assumeNotNull(name) AS row FROM bigtrace_results.table_${of}`;
  expect(await system.sql(`SELECT groupArray(row) FROM (${rows} ORDER BY row)`), about).toBe(
    "['/local/a.json one','/local/a.json two','/local/b.json three','/local/c.json four']\n",
  );
  await materialized(undefined, { of });
  const stored = await system.sql(`SELECT count() FROM bigtrace_results.table_${of}_rows`);
  if (!rowsLeft) expect(stored, about).toBe('4\n');
}

const EXTRA = 'SELECT count(*) AS slices FROM slice';
const CATALOG =
  'SELECT * EXCEPT (indexed_at) FROM bigtrace.traces ORDER BY address FORMAT JSONEachRow';

async function forgetCatalog(): Promise<void> {
  for (const name of ['trace_catalog', 'trace_extra', 'trace_column_types'])
    await system.sql(`TRUNCATE TABLE bigtrace.${name}`, { user: 'admin' });
}

async function materializeRound(round: number, of: number): Promise<void> {
  const [statements, moment] = killOf(round);
  const ran = { all: true };
  const structure = round % 3 === 0 ? undefined : STRUCTURE; // column finding takes most of a round
  const run = (wrap?: (database: ClickHouse) => ClickHouse) =>
    materialized(wrap, { of, structure });
  const killed = run((database) => killedAfter(database, statements, ran, moment));
  await Promise.all([run(), run(), unlessKilled(killed, ran)]);
  await expectWhole({ rowsLeft: !ran.all, of, about: `round ${round}` });
}

test('materialize completes the table after runs that were killed at every statement', async () => {
  const runs = await untilNotKilled((statements, ran) =>
    materialized((database) => killedAfter(database, statements, ran)),
  );
  expect(runs).toBeGreaterThan(8);
  await expectWhole();
});

test(
  'two concurrent runs of materialize complete the table while a third one is killed',
  ROUNDS_TIMEOUT,
  async () => {
    for (let first = 0; first < ROUNDS; first += LANES) {
      const lanes = Array.from({ length: Math.min(LANES, ROUNDS - first) }, (_, at) => first + at);
      await Promise.all(lanes.map((round) => materializeRound(round, table + 1 + round)));
    }
    table += ROUNDS;
  },
);

test('materialize creates a dropped table again with all traces', async () => {
  await materialized();
  await system.sql(`DROP TABLE bigtrace_results.table_${table}_rows`, { user: 'admin' });
  await materialized();
  await expectWhole();
});

test('index completes the catalog after runs that were killed at every statement', async () => {
  await index(EXTRA);
  const undisturbed = await system.sql(CATALOG);
  expect(undisturbed).toContain('"slices":"2"');
  await forgetCatalog();
  const runs = await untilNotKilled((statements, ran) =>
    index(EXTRA, (client) => killedAfter(client, statements, ran)),
  );
  expect(runs).toBeGreaterThan(6);
  expect(await system.sql(CATALOG)).toBe(undisturbed);
});

test(
  'four concurrent runs of index complete the catalog while a fifth one is killed',
  ROUNDS_TIMEOUT,
  async () => {
    await index(EXTRA);
    const undisturbed = await system.sql(CATALOG);
    expect(undisturbed).toContain('"slices":"2"');
    for (let round = 0; round < ROUNDS; round++) {
      await forgetCatalog();
      const [statements, moment] = killOf(round);
      const ran = { all: true };
      const killed = index(EXTRA, (client) => killedAfter(client, statements, ran, moment));
      await Promise.all([
        ...[index(EXTRA), index(), index(EXTRA), index()],
        unlessKilled(killed, ran),
      ]);
      expect(await system.sql(CATALOG), `round ${round}`).toBe(undisturbed);
    }
  },
);
