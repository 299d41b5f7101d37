/** For tests: replicas of the HTTP API over one ClickHouse, without HTTP, whose statements can be made to fail. */
import type { TestEngine } from '../../clickhouse/testing/engine.ts';
import { BACKEND_USER, openDatabase } from '../../http-api/queries/database.ts';
import { type ExecuteRequest, Executor } from '../../http-api/queries/executor.ts';
import type { Execution } from '../../http-api/queries/history.ts';
import { Traces } from '../../http-api/sql/traces.ts';
import type { QueryWatch } from '../../http-api/watch.ts';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';

export const TABLE_LIFE_MS = 1_000_000;

/** Called before and after each statement, with its number from 1, and its text. May throw, or wait. */
export type Hook = (
  at: number,
  when: 'before' | 'after',
  statement: string,
) => Promise<void> | void;

export const NOBODY: QueryWatch = {
  counts: async () => ({
    ...{ tracesDone: 2, tracesFailed: 0, tracesTotal: 2, totalIsFinal: true },
    ...{ coreMs: 1500, traceBytes: 7000, tracesRemembered: 1, tracesLoaded: 0, tracesRestored: 0 },
    tracesParsed: 1,
  }),
  countTraces: async () => 0,
  failures: async () => [],
  cancel: async () => 0,
  openTrace: async () => {
    throw new BigtraceError('trace_not_found', 'the trace does not exist');
  },
};

export interface Replica extends AsyncDisposable {
  executor: Executor;
  database: ClickHouse;
}

export function replica(t: TestEngine, hook: Hook = () => {}, watch = NOBODY): Replica {
  const url = `http://${t.engine.httpAddress}`;
  const client = openDatabase({
    url,
    username: BACKEND_USER,
    password: t.engine.passwords.service,
  });
  const database = hooked(client, hook);
  const executor = new Executor({
    ...{ database, watch, traces: new Traces(database, database) },
    log: createLogger('test', 'silent'),
    tableLifeMs: TABLE_LIFE_MS,
    counts: { requests: 0, requests_failed: 0, queries: 0 },
  });
  return {
    ...{ executor, database },
    [Symbol.asyncDispose]: async () => {
      await executor.close();
      await client.close();
    },
  };
}

/** The same client; `hook` is called around each statement. */
export function hooked(client: ClickHouse, hook: Hook): ClickHouse {
  let statements = 0;
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!['rows', 'count', 'command', 'insert'].includes(String(name))) return value.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        statements += 1;
        const at = statements;
        await hook(at, 'before', String(args[0]));
        const answer: unknown = await value.apply(target, args);
        await hook(at, 'after', String(args[0]));
        return answer;
      };
    },
  });
}

/** Makes a replica that is dead before or after its nth statement: it hears nothing and changes nothing any more. */
export function dyingAt(
  n: number,
  when: 'before' | 'after',
): { hook: Hook; isDead: () => boolean } {
  let dead = false;
  const hook: Hook = (at, now) => {
    dead ||= at === n && now === when;
    if (dead) throw new BigtraceError('catalog_failed', 'this replica is dead');
  };
  return { hook, isDead: () => dead };
}

/** Makes a replica that is dead after its first statement with this beginning. */
export function dyingAfter(beginning: RegExp): { hook: Hook; isDead: () => boolean } {
  let dead = false;
  const hook: Hook = (_, when, statement) => {
    dead ||= when === 'after' && beginning.test(statement);
    if (dead) throw new BigtraceError('catalog_failed', 'this replica is dead');
  };
  return { hook, isDead: () => dead };
}

/** Whether a statement changes something. */
export function isChange(statement: string): boolean {
  return /^\s*(CREATE|DELETE|DROP|INSERT|RENAME)\b/.test(statement);
}

/**
 * Repeats a run that loses the response to its nth change, from the first to the last, and the check after it.
 * @param run calls the hook around each statement
 */
export async function losingEachResponse(
  run: (hook: Hook) => Promise<void>,
  check: (about: string) => Promise<void>,
): Promise<void> {
  for (let n = 1, wasLost = true; wasLost; n += 1) {
    wasLost = false;
    let changes = 0;
    const losing = run((_, when, statement) => {
      if (when === 'before' || !isChange(statement)) return;
      changes += 1;
      if (changes !== n) return;
      wasLost = true;
      throw new BigtraceError('catalog_failed', 'the response is lost');
    });
    await losing.catch((error) => {
      if (error.message !== 'the response is lost') throw error;
    });
    await check(`change ${n}`);
  }
}

/** Delays a replica before the nth statement with which it changes something, until `work` is done. */
export function delayedAt(
  n: number,
  work: () => Promise<void>,
): { hook: Hook; wasDelayed: () => boolean } {
  let changes = 0;
  const hook: Hook = async (_, when, statement) => {
    if (when === 'after' || !isChange(statement)) return;
    changes += 1;
    if (changes === n) await work();
  };
  return { hook, wasDelayed: () => changes >= n };
}

/** A request whose script has the column n, and runs these commands of the stand-in for the bridge. */
export function asked(commands: string, more: Partial<ExecuteRequest> = {}): ExecuteRequest {
  return {
    user: 'http-user:tester',
    session: undefined,
    perfettoSql: `@\`n\` Nullable(String);;${commands}`,
    limit: 100,
    choice: {
      settings: { addresses: ['/local/a', '/local/b'], where: '', strict: false, timeoutS: 0 },
      ...{ filters: [], orderBy: '', limit: 0 },
    },
    metadataColumns: [],
    snapshot: {
      ...{ settings: [], traceFilters: [], traceMetadataColumns: [], traceOrderBy: '' },
      traceLimit: 0,
    },
    ...{ tableName: undefined, materialized: true, base: '' },
    ...more,
  };
}

export const NEVER = new AbortController().signal;

/** Polls until the query has ended. */
export async function ended({ executor }: Replica, uuid: string): Promise<Execution> {
  for (;;) {
    const execution = await executor.find(uuid);
    if (execution.status !== 'IN_PROGRESS') return execution;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function valuesOf({ executor }: Replica, uuid: string): Promise<(string | null)[]> {
  const page = await executor.page(uuid, { columns: ['n'] }, { base: '', signal: NEVER });
  return page.rows.map(([value]) => value ?? null);
}
