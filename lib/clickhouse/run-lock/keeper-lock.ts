/**
 * A lock whose state is one row of a table with compare-and-set: each change names the version that it replaces, so of two
 * changes at once one has no effect.
 *
 * - The holder changes the row every BEAT_MS. Who wants the lock takes it over if the row stays as it is for LEASE_MS, by
 *   the clock of who waits; clocks are never compared. So a holder that was killed blocks nobody for long.
 * - A holder that cannot change the row for GIVE_UP_MS, or finds another holder in it, ends its run.
 * - A holder that was suspended while another took over is told so by check(), before it writes. If it is suspended between
 *   the two, rows with numbers from the same row (newRun) do not count: they are below those of all later holders, and the
 *   greatest number of a trace is valid.
 *
 * Operations may take effect although they fail, or later. That is safe, because each names the version that it replaces.
 */
import { BigtraceError } from '../../common/errors.ts';

export const BEAT_MS = 5_000;
export const LEASE_MS = 30_000;
/** With the two operations of the last try below LEASE_MS, so that a holder ends before it is overtaken. */
const GIVE_UP_MS = 20_000;
/** A holder's operation without an answer for so long has failed. */
const ANSWER_MS_MAX = 4_000;
const POLL_MS = 1_000;
/** Changes that may fail before the lock is acquired. */
const TRIES_MAX = 20;

export interface LockRow {
  /** Identifies the run that holds the lock; empty: nobody. */
  holder: string;
  /** The same for people. */
  who: string;
  /** Counts the changes of the row. */
  version: bigint;
  /** The last number given by newRun(). */
  run: bigint;
}

export interface LockTable {
  /** @returns undefined if there is no row yet */
  read(): Promise<LockRow | undefined>;
  /** Adds the row of a lock that nobody holds. @throws if there is one */
  create(): Promise<void>;
  /** Changes the row, if its version is still the one before that of `next`. Otherwise it may throw. */
  replace(next: LockRow): Promise<void>;
}

export interface LockClock {
  now(): number;
  /** @param isIdle the process may end meanwhile */
  sleep(ms: number, isIdle?: boolean): Promise<void>;
}

export interface LockOptions {
  table: LockTable;
  clock: LockClock;
  /** Identifies this run. */
  holder: string;
  who: string;
  /** What the lock is for, in messages. */
  purpose: string;
  /** Called when the lock is lost, once. */
  onLost: (error: BigtraceError) => void;
  /** Called if the lock has a holder, who may have been killed. */
  onWait: (who: string) => void;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

export class KeeperLock {
  readonly #options: LockOptions;
  /** The row after our last change. */
  #row: LockRow;
  /** Before our last change was sent. */
  #changedMs: number;
  #lost: BigtraceError | undefined;
  #released = false;
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: LockOptions, row: LockRow, changedMs: number) {
    this.#options = options;
    this.#row = row;
    this.#changedMs = changedMs;
  }

  /** @throws too_many_queries if another run holds the lock; cancelled if the signal ends the waiting */
  static async acquire(options: LockOptions): Promise<KeeperLock> {
    const { table, clock, holder, who, purpose } = options;
    let seen: { version: bigint; sinceMs: number } | undefined;
    let sentMs = clock.now();
    for (let tries = 0, isSent = false; ; ) {
      const look = await table.read().then(
        (row) => ({ row }),
        (error: unknown) => ({ error }),
      );
      if ('error' in look) {
        // The lock may be ours already, and would block the next run.
        if (!isSent || ++tries === TRIES_MAX) throw look.error;
        await clock.sleep(POLL_MS);
        continue;
      }
      const { row } = look;
      if (row?.holder === holder) {
        const lock = new KeeperLock(options, row, sentMs);
        void lock.#beat();
        return lock;
      }
      const isFree = row === undefined || row.holder === '';
      const hasChanged = seen !== undefined && seen.version !== row?.version;
      if (!isFree && hasChanged) throw heldBy(row, purpose);
      if (!isFree && seen === undefined) options.onWait(row.who);
      seen ??= { version: row?.version ?? 0n, sinceMs: clock.now() };
      if (isFree || clock.now() - seen.sinceMs >= LEASE_MS) {
        sentMs = clock.now();
        const change =
          row === undefined
            ? table.create()
            : table.replace({ holder, who, version: row.version + 1n, run: row.run });
        isSent = true;
        // Another run may have been faster, or only the response was lost: the row will say so.
        const problem = await failureOf(change);
        if (problem !== undefined && ++tries === TRIES_MAX) throw problem;
      }
      await clock.sleep(isFree ? 0 : POLL_MS);
      if (!isFree && options.signal?.aborted === true)
        throw new BigtraceError('cancelled', 'the run was interrupted');
    }
  }

  /**
   * Returns a number that is greater than all numbers that holders of this lock were given before.
   * @param atLeast a lower bound
   * @throws catalog_failed if the lock is lost
   */
  async newRun(atLeast: bigint): Promise<bigint> {
    await this.#change((row) => ({
      ...row,
      run: atLeast > row.run ? atLeast : row.run + 1n,
    }));
    return this.#row.run;
  }

  /** @throws catalog_failed if the lock is lost */
  async check(): Promise<void> {
    await this.#change((row) => row);
  }

  /** If it fails, the next run gets the lock after LEASE_MS. */
  async release(): Promise<void> {
    this.#released = true;
    await this.#change((row) => ({ ...row, holder: '', who: '' })).catch(() => {});
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(BEAT_MS, true);
      if (this.#released || this.#lost !== undefined) return;
      await this.check().catch(() => {}); // #lost says so
    }
  }

  #change(next: (row: LockRow) => LockRow): Promise<void> {
    const change = this.#last.then(() => this.#changeNow(next));
    this.#last = change.catch(() => {});
    return change;
  }

  /** Repeats the change until it is seen, another holder is seen, or GIVE_UP_MS are over. */
  async #changeNow(next: (row: LockRow) => LockRow): Promise<void> {
    const { table, clock, holder } = this.#options;
    let target: LockRow | undefined;
    for (;;) {
      if (this.#lost !== undefined) throw this.#lost;
      const sentMs = clock.now();
      target ??= { ...next(this.#row), version: this.#row.version + 1n };
      let problem = await failureOf(this.#answered(table.replace(target)));
      const row = await this.#answered(table.read()).catch((error: unknown) => {
        problem ??= error;
        return undefined;
      });
      if (row !== undefined && isSame(row, target)) {
        this.#row = row;
        this.#changedMs = sentMs;
        return;
      }
      // A reader of Keeper may be behind, so an earlier version says nothing.
      if (row !== undefined && row.version >= target.version && row.holder !== holder)
        throw this.#lose(`another run took over: ${row.who || 'it has ended since'}`);
      // A try that began in time was perhaps suspended: the next one is told who took over.
      if (sentMs - this.#changedMs > GIVE_UP_MS)
        throw this.#lose(`no contact to the lock for ${GIVE_UP_MS / 1000} s`, problem);
      await clock.sleep(POLL_MS / 10);
    }
  }

  /** @throws if the answer takes too long: this process may have been suspended, so the answer says nothing about now */
  async #answered<T>(operation: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const sentMs = clock.now();
    const late = clock.sleep(ANSWER_MS_MAX, true).then(() => undefined);
    const answer = await Promise.race([operation.then((value) => ({ value })), late]);
    if (answer !== undefined && clock.now() - sentMs <= ANSWER_MS_MAX) return answer.value;
    throw new Error(`no answer for ${ANSWER_MS_MAX / 1000} s`);
  }

  #lose(why: string, cause?: unknown): BigtraceError {
    const { purpose, onLost } = this.#options;
    const text = `${purpose} lost its lock: ${why}; run it again`;
    this.#lost = new BigtraceError('catalog_failed', text, { cause });
    onLost(this.#lost);
    return this.#lost;
  }
}

function isSame(one: LockRow, other: LockRow): boolean {
  return one.version === other.version && one.holder === other.holder && one.run === other.run;
}

function heldBy({ who }: LockRow, purpose: string): BigtraceError {
  return new BigtraceError(
    'too_many_queries',
    `${purpose} is running: ${who}; run it again when that has ended`,
  );
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
