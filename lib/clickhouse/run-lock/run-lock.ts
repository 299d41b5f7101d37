/**
 * The lock of a run that writes tables: of `bigtrace index`, or of `bigtrace materialize` for one table. Runs on one server
 * need none: it executes their statements in one order, and they are written for that. In a cluster whose tables
 * are replicated (`bigtrace clickhouse install --replicated`), the lock is a row in Keeper.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError, BigtraceError } from '../../common/errors.ts';
import { literal } from '../../common/text/sql-literal.ts';
import type { ClickHouse } from '../client.ts';
import { KeeperLock, LEASE_MS, type LockRow, type LockTable } from './keeper-lock.ts';

export interface RunLock {
  /**
   * Returns a run number: greater than all that earlier holders of the lock were given. On one server it is greater than
   * all earlier ones.
   */
  newRun(): Promise<string>;
  /** @throws catalog_failed if another run has taken over */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** The table of the locks. It exists if the tables are replicated. */
const LOCKS = 'bigtrace.locks';

/** In all servers of a cluster, it is the same table. */
export const CREATE_LOCKS = `CREATE TABLE IF NOT EXISTS ${LOCKS} (
  name String,
  holder String COMMENT 'identifies the run; empty: nobody',
  who String COMMENT 'its host and process',
  version UInt64 COMMENT 'counts the changes of the row',
  run UInt64 COMMENT 'the last run number'
)
ENGINE = KeeperMap('/bigtrace_locks')
PRIMARY KEY name
`;

export interface RunLockOptions {
  /** Such as `index`, or `materialize NAME`. */
  name: string;
  /** Called when the lock is lost: the run must end. */
  onLost: (error: BigtraceError) => void;
  /** Called if the lock has a holder, who may have been killed. */
  onWait: (who: string) => void;
  /** Ends the waiting for the lock. */
  signal: AbortSignal;
}

/** @throws too_many_queries if another run holds the lock; cancelled if the signal ends the waiting */
export async function openRunLock(database: ClickHouse, options: RunLockOptions): Promise<RunLock> {
  const tables = await database.rows(
    `SELECT name FROM system.tables WHERE database = 'bigtrace' AND name = 'locks' AND engine = 'KeeperMap'`,
  );
  if (tables.length === 0) return oneServerLock(database);
  const { name, onLost, onWait, signal } = options;
  const started = new Date().toISOString().replace(/\.\d+/, '');
  const lock = await KeeperLock.acquire({
    ...{ onLost, onWait, signal, purpose: `bigtrace ${name}`, holder: randomUUID() },
    who: `process ${process.pid} on ${hostname()} since ${started}`,
    table: keeperTable(database, name),
    clock: {
      now: () => performance.now(),
      sleep: (ms, isIdle) => sleep(ms, undefined, { ref: isIdle !== true }),
    },
  });
  return {
    newRun: async () => String(await lock.newRun(BigInt(await snowflake(database)))),
    check: () => lock.check(),
    release: () => lock.release(),
  };
}

/** Returns why a run failed: an error may only follow from the loss of its lock. The text has both. */
export async function reasonOf(error: unknown, lock: RunLock | undefined): Promise<unknown> {
  try {
    await lock?.check();
    return error;
  } catch (thrown) {
    const [first, lost] = [asBigtraceError(error), asBigtraceError(thrown)];
    if (first.code === 'cancelled' || first.message === lost.message) return lost;
    const text = `${lost.message}; the run ended with: ${first.message}`;
    return new BigtraceError(lost.code, text, { cause: error });
  }
}

/** Says on stderr why the command waits. */
export function waitingFor(who: string): void {
  const text = `the lock is held by ${who}; waiting up to ${LEASE_MS / 1000} s to see whether it is alive`;
  process.stderr.write(`bigtrace: ${text}\n`);
}

/** Excludes nobody. */
export function oneServerLock(database: ClickHouse): RunLock {
  return {
    newRun: () => snowflake(database),
    check: async () => {},
    release: async () => {},
  };
}

/** Returns an ID that is greater than all earlier ones of servers whose clocks are correct. */
async function snowflake(database: ClickHouse): Promise<string> {
  const [row] = await database.rows('SELECT toString(generateSnowflakeID())');
  return row?.[0] ?? '';
}

/** In strict mode ClickHouse sends Keeper the version of the node that it has read, so a change is compare-and-set. */
const STRICT = { settings: { keeper_map_strict_mode: 1 as const } };

function keeperTable(database: ClickHouse, name: string): LockTable {
  const isThis = `name = ${literal(name)}`;
  return {
    read: async () => {
      const [row] = await database.rows(
        `SELECT holder, who, toString(version), toString(run) FROM ${LOCKS} WHERE ${isThis}`,
      );
      if (row === undefined) return undefined;
      const [holder, who, version, run] = row;
      return {
        ...{ holder: holder ?? '', who: who ?? '' },
        ...{ version: BigInt(version ?? 0), run: BigInt(run ?? 0) },
      };
    },
    create: () =>
      database.command(
        `INSERT INTO ${LOCKS} (name, holder, who, version, run) VALUES (${literal(name)}, '', '', 0, 0)`,
        STRICT,
      ),
    replace: ({ holder, who, version, run }: LockRow) =>
      database.command(
        `ALTER TABLE ${LOCKS} UPDATE holder = ${literal(holder)}, who = ${literal(who)}, version = ${version}, run = ${run}
         WHERE ${isThis} AND version = ${version - 1n}`,
        STRICT,
      ),
  };
}
