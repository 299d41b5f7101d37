/**
 * Tests for leaks: after 600 queries of all kinds, 600 more do not increase the memory, the open files or the
 * threads of any process beyond a limit.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { BigtraceError } from '../../../lib/common/errors.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtracePage } from '../../harness/http-page.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { descendants, type System, startSystem } from '../../harness/system.ts';
import { statusOf, untilIdle } from '../../harness/workers.ts';

const QUERIES = 1200;
const WARM_UP = 600;
const AT_A_TIME = 4;
/** The number of different scripts of a kind; few enough that the result cache is full early. */
const TEXTS = 40;
/** Limits of a worker's loaded traces and of its result cache. */
const LOADED_BYTES = '640MiB';
const REMEMBERED_BYTES = '16MiB';
const GROWTH_MAX = { mib: 64, files: 16, threads: 8 };
/** A worker has nine V8 isolates, each with its own garbage collection. */
const WORKER_GROWTH_MAX = { ...GROWTH_MAX, mib: 192 };
/** ClickHouse creates threads and opens files in batches and keeps them. */
const CLICKHOUSE_GROWTH_MAX = { mib: 128, files: 256, threads: 256 };
/** The number of measurements, of which the least counts, because memory varies with garbage collection. */
const LOOKS = 5;
const BETWEEN_LOOKS = 50;

/** Patterns of the traces that load, and their number. */
const GOOD = ['/local/chrome/*', '/local/linux/*', '/local/other/*'];
const GOOD_COUNT = 12;
const ALL = ['/local/**'];
const BAD_COUNT = 2;

let traces = '';
let system: System;
let client: OrchestratorClient;
let analyst: ClickHouseClient;
let page: BigtracePage;

beforeAll(async () => {
  traces = mkdtempSync(join(tmpdir(), 'bigtrace-memory-'));
  cpSync(join(ROOT, 'samples/traces'), traces, { recursive: true });
  writeFileSync(join(traces, 'cut.json'), '{"traceEvents":[{"name":"cut');
  writeFileSync(join(traces, 'noise.pftrace'), Buffer.alloc(4096, 0xa7));
  const env = {
    BIGTRACE_MEMORY_BYTES: LOADED_BYTES,
    BIGTRACE_RESULT_MEMORY_BYTES: REMEMBERED_BYTES,
  };
  system = await startSystem({ traces, workers: 2, threads: 1, env });
  client = new OrchestratorClient(system.orchestrator);
  analyst = clickhouseAs(system, 'analyst');
  page = new BigtracePage(system);
});
afterAll(async () => {
  client?.close();
  await analyst?.close();
  await system?.stop();
  rmSync(traces, { recursive: true, force: true });
});

interface Outcome {
  /** Numbers of traces that succeeded and that failed. */
  succeeded: number;
  failed: number;
  /** The error code of the query; undefined if it succeeded. */
  code: string | undefined;
}

async function overGrpc(
  patterns: string[],
  sql: string,
  { onFailure = 'STRICT' as 'STRICT' | 'LENIENT', cancelAfterMs = 0 } = {},
): Promise<Outcome> {
  const outcome: Outcome = { succeeded: 0, failed: 0, code: undefined };
  const abort = new AbortController();
  if (cancelAfterMs > 0) setTimeout(() => abort.abort(), cancelAfterMs);
  const start = { queryId: '', sql: Buffer.from(sql), onFailure, user: '', progressIntervalMs: 0 };
  try {
    const list = [patterns.map((pattern) => Buffer.from(pattern))];
    for await (const { rows, failure } of client.query(start, list, abort.signal)) {
      if (rows?.last) outcome.succeeded += 1;
      if (failure) outcome.failed += 1;
    }
  } catch (thrown) {
    outcome.code = thrown instanceof BigtraceError ? thrown.code : String(thrown);
  }
  return outcome;
}

/** Retries once after ClickHouse's pipe timeout: on a busy machine a bridge may start later than ClickHouse waits. */
function retryWhenBusy<Result>(runQuery: () => Promise<Result>): Promise<Result> {
  return runQuery().catch((error: Error) => {
    if (!error.message.includes('Pipe read timeout exceeded')) throw error;
    return runQuery();
  });
}

const whole = (succeeded: number, failed = 0): Outcome => ({
  succeeded,
  failed,
  code: undefined,
});
const failing = (code: string) => expect.objectContaining({ code });
const ENDLESS =
  'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t';

/** The kinds of queries, with their shares in percent. */
const KINDS: [share: number, ask: (n: number) => Promise<void>][] = [
  [
    30,
    async (n) =>
      expect(
        await overGrpc(GOOD, `SELECT name, ts, dur FROM slice LIMIT ${100 * (n % TEXTS)}`),
      ).toEqual(whole(GOOD_COUNT)),
  ],
  [
    15,
    async (n) =>
      expect(
        await overGrpc(ALL, `SELECT count(*), ${n % TEXTS} FROM sched`, { onFailure: 'LENIENT' }),
      ).toEqual(whole(GOOD_COUNT, BAD_COUNT)),
  ],
  [
    12,
    async (n) =>
      expect(
        await overGrpc(
          ['/local/linux/*'],
          `CREATE PERFETTO TABLE mark_${n % TEXTS} AS SELECT id, ts FROM sched;
           CREATE TABLE plain_${n} AS SELECT 1 AS x; SELECT count(*) FROM mark_${n % TEXTS}`,
        ),
      ).toEqual(whole(8)),
  ],
  [
    10,
    async (n) =>
      expect(await overGrpc(GOOD, `SELECT nothing_${n} FROM slice`)).toEqual(failing('sql_failed')),
  ],
  [8, async () => expect(await overGrpc(ALL, 'SELECT 1')).toEqual(failing('trace_invalid'))],
  [
    8,
    async () =>
      expect(
        await overGrpc(
          ['/local/linux/*'],
          "SELECT randomblob(100000) AS b, printf('%.50000c', 'x')",
        ),
      ).toEqual(whole(8)),
  ],
  [
    3,
    async (n) =>
      expect(
        await overGrpc(['/local/linux/*'], ENDLESS, { cancelAfterMs: 20 + (n % 7) * 30 }),
      ).toEqual(failing('cancelled')),
  ],
  [
    5,
    async () =>
      expect(await overGrpc(['/local/nothing/*'], 'SELECT 1')).toEqual(failing('no_match')),
  ],
  [
    4,
    async (n) => {
      const sql = `SELECT ts, name FROM slice LIMIT ${n % TEXTS}`;
      const call = `bigtrace_lenient(traces=['/local/**'], sql='${sql}')`;
      const counted = () => rowsOf(analyst, `SELECT count() >= 0 FROM ${call}`);
      expect(await retryWhenBusy(counted)).toEqual([[1]]);
    },
  ],
  [
    1,
    async () =>
      expect(
        await errorOf(analyst, "SELECT * FROM bigtrace(traces=['/local/linux/*'], sql='SELEC')"),
      ).toContain('sql_failed'),
  ],
  [
    4,
    async (n) => {
      const traces = { setting_id: 'traces', values: GOOD, category: 'TRACE_ADDRESS' };
      const request = { perfetto_sql: `SELECT ${n} AS n`, limit: 100, settings: [traces] };
      const succeeded = async (): Promise<number> => {
        const { body } = await page.post('/execute_bigtrace_query', request);
        return body.totalFilteredRows ?? Promise.reject(new Error(body.detail));
      };
      expect(await retryWhenBusy(succeeded)).toBe(GOOD_COUNT);
    },
  ],
];

function kindOf(n: number): (n: number) => Promise<void> {
  let at = (n * 37) % 100; // mixes the kinds
  for (const [share, runQuery] of KINDS) {
    if (at < share) return runQuery;
    at -= share;
  }
  throw new Error('the shares make less than a hundred');
}

async function runQueries(from: number, to: number): Promise<void> {
  let next = from;
  const client = async (): Promise<void> => {
    for (let n = next++; n < to; n = next++) await kindOf(n)(n);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
}

interface Usage {
  /** Resident memory in MiB; for a worker without its loaded traces, which have their own limit. */
  mib: number;
  files: number;
  threads: number;
}

function heldBy(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    mib: Math.round(field('VmRSS') / 1024),
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}

/** Runs queries and returns the least resources of each process, measured between queries. */
async function usageWhileQuerying(from: number, to: number): Promise<Map<string, Usage>> {
  const least = new Map<string, Usage>();
  for (let look = LOOKS - 1; look >= 0; look--) {
    await runQueries(from, to - look * BETWEEN_LOOKS);
    from = to - look * BETWEEN_LOOKS;
    await untilIdle(system);
    await sleep(1000);
    for (const [name, now] of await currentUsage()) {
      const before = least.get(name) ?? now;
      least.set(name, {
        mib: Math.min(before.mib, now.mib),
        files: Math.min(before.files, now.files),
        threads: Math.min(before.threads, now.threads),
      });
    }
  }
  return least;
}

async function currentUsage(): Promise<Map<string, Usage>> {
  const named = new Map([
    [system.pid, 'up'],
    ...system.processes.map(({ pid, name }) => [pid, name] as const),
  ]);
  const all = new Map<string, Usage>();
  for (const pid of [system.pid, ...descendants(system.pid)]) {
    try {
      const name = named.get(pid) ?? 'bridge';
      const now = heldBy(pid);
      // Of the bridges the largest counts. A zombie process has no memory.
      if (now.mib > (all.get(name)?.mib ?? 0)) all.set(name, now);
    } catch {
      // The process has ended meanwhile.
    }
  }
  for (const [at, address] of system.workers.entries()) {
    const { loaded_bytes: bytes = 0 } = (await statusOf(address)).gauges;
    const held = all.get(`worker-${at + 1}`);
    if (held !== undefined) held.mib -= Math.round(bytes / 2 ** 20);
  }
  return all;
}

function growthMaxOf(name: string): Usage {
  if (name === 'clickhouse') return CLICKHOUSE_GROWTH_MAX;
  return name.startsWith('worker') ? WORKER_GROWTH_MAX : GROWTH_MAX;
}

test('memory, files and threads of every process do not grow over 1,200 mixed queries', async () => {
  const before = await usageWhileQuerying(0, WARM_UP);
  const after = await usageWhileQuerying(WARM_UP, QUERIES);
  const table = [...after].map(([name, now]) => ({ name, was: before.get(name) ?? now, now }));
  console.info(JSON.stringify(table));
  for (const { name, was, now } of table) {
    const max = growthMaxOf(name);
    for (const what of ['mib', 'files', 'threads'] as const)
      expect(
        now[what] - was[what],
        `${what} of ${name}: ${was[what]}, then ${now[what]}`,
      ).toBeLessThan(max[what]);
  }
  expect(system.stderr()).not.toMatch(/SIGKILL|SIGABRT|SIGSEGV/);
}, 900_000);
