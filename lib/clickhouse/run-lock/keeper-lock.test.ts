/** A model of runs that want one lock, in virtual time: they are killed, suspended and cut off at every step. */
import { expect, test } from 'vitest';
import type { BigtraceError } from '../../common/errors.ts';
import { BEAT_MS, KeeperLock, LEASE_MS, type LockRow, type LockTable } from './keeper-lock.ts';

/** Virtual time. It goes on when nothing else can. */
class Time {
  now = 0;
  readonly #waiting: { atMs: number; wake: () => void }[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#waiting.push({ atMs: this.now + ms, wake }));
  }

  /** Runs until `work` has ended. @throws if that takes longer than `msMax` */
  async run(work: Promise<unknown>, msMax: number): Promise<void> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    const endMs = this.now + msMax;
    for (;;) {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      if (isOver) break;
      this.#waiting.sort((one, other) => one.atMs - other.atMs);
      const next = this.#waiting.shift();
      if (next === undefined || next.atMs > endMs) throw new Error(`not over at ${endMs} ms`);
      this.now = Math.max(this.now, next.atMs);
      next.wake();
    }
    await over;
  }
}

/** The row in Keeper. */
class Row {
  value: LockRow | undefined;

  create(): void {
    if (this.value !== undefined) throw new Error('Node exists');
    this.value = { holder: '', who: '', version: 0n, run: 0n };
  }

  replace(next: LockRow): void {
    if (this.value?.version !== next.version - 1n) throw new Error('Bad version');
    this.value = next;
  }
}

/** What befalls an operation. */
type Fault =
  | 'none'
  | 'fails'
  /** It takes effect, but its caller gets an error. */
  | 'response is lost'
  /** Its caller gets an error at once; it takes effect 40 s later, if it still can. */
  | 'is late'
  /** Neither its caller nor Keeper ever hears of it: packets are dropped. */
  | 'is never answered'
  | 'killed before'
  | 'killed after'
  /** The process stands still for 100 s, and the operation takes effect before. */
  | 'suspended';

const LATE_MS = 40_000;
const SUSPENDED_MS = 100_000;
const LATENCY_MS = 20;

/** A run, with the faults of its operations. */
class Run {
  readonly time: Time;
  readonly name: string;
  readonly given: bigint[] = [];
  lost: BigtraceError | undefined;
  isKilled = false;
  waited = false;
  operations = 0;
  readonly #row: Row;
  readonly #faultOf: (operation: number) => Fault;
  #suspendedUntilMs = 0;

  constructor(time: Time, row: Row, name: string, faultOf: (operation: number) => Fault) {
    this.time = time;
    this.#row = row;
    this.name = name;
    this.#faultOf = faultOf;
  }

  acquire(signal?: AbortSignal): Promise<KeeperLock> {
    const table: LockTable = {
      read: () => this.#operation(() => this.#row.value),
      create: () => this.#operation(() => this.#row.create()),
      replace: (next) => this.#operation(() => this.#row.replace(next)),
    };
    return KeeperLock.acquire({
      ...{ table, holder: this.name, who: `process of ${this.name}`, purpose: 'the run' },
      clock: { now: () => this.time.now, sleep: (ms) => this.#alive(this.time.sleep(ms)) },
      onLost: (error) => {
        this.lost = error;
      },
      onWait: () => {
        this.waited = true;
      },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async newRun(lock: KeeperLock): Promise<void> {
    this.given.push(await lock.newRun(BigInt(Math.floor(1e9 - this.time.now)))); // clocks run backwards
  }

  async #operation<T>(effect: () => T): Promise<T> {
    const fault = this.#faultOf(this.operations++);
    await this.#alive(this.time.sleep(LATENCY_MS));
    if (fault === 'fails') throw new Error('no contact');
    if (fault === 'is never answered') await new Promise(() => {});
    if (fault === 'killed before') this.isKilled = true;
    if (fault === 'is late') {
      void this.time.sleep(LATE_MS).then(() => outcome(effect));
      throw new Error('no contact');
    }
    const result = this.isKilled ? undefined : outcome(effect);
    if (fault === 'killed after') this.isKilled = true;
    if (fault === 'suspended') this.#suspendedUntilMs = this.time.now + SUSPENDED_MS;
    await this.#alive(this.time.sleep(LATENCY_MS));
    if (fault === 'response is lost') throw new Error('the response is lost');
    if (result?.error !== undefined) throw result.error;
    return result?.value as T;
  }

  /** A process that was killed goes no further. One that stands still goes on later. */
  async #alive(work: Promise<void>): Promise<void> {
    await work;
    if (this.isKilled) await new Promise(() => {});
    const ms = this.#suspendedUntilMs - this.time.now;
    if (ms > 0) await this.time.sleep(ms);
  }
}

function outcome<T>(effect: () => T): { value?: T; error?: Error } {
  try {
    return { value: effect() };
  } catch (error) {
    return { error: error as Error };
  }
}

const BATCHES = 3;
/** Operations of a run of `work` without faults, and some more. */
const STEPS = 24;

/** What a command does with the lock. Its batches take 3 s each. */
async function work(run: Run): Promise<void> {
  const lock = await run.acquire();
  for (let batch = 0; batch < BATCHES; batch++) {
    await run.newRun(lock);
    await run.time.sleep(3000);
    await lock.check();
  }
  await lock.release();
}

const SOUND = (): Fault => 'none';
const ascends = (runs: readonly bigint[]): boolean =>
  runs.every((run, nth) => nth === 0 || run > (runs[nth - 1] ?? 0n));

const FAULTS: Fault[] = [
  ...(['fails', 'response is lost', 'is late'] as const),
  ...(['killed before', 'killed after', 'suspended'] as const),
];

test.each(FAULTS)('whichever operation of a run %s, the next run gets the lock', async (fault) => {
  for (let step = 0; step < STEPS; step++) {
    const [time, row] = [new Time(), new Row()];
    const first = new Run(time, row, 'first', (operation) => (operation === step ? fault : 'none'));
    const running = work(first).catch((error: BigtraceError) => error);
    const firstOver = time.run(Promise.race([running, time.sleep(60_000)]), 300_000);
    await firstOver;
    const second = new Run(time, row, 'second', SOUND);
    const startMs = time.now;
    await time.run(work(second), 300_000);
    const waitedMs = time.now - startMs - BATCHES * 3000;
    expect([fault, step, second.given.length]).toEqual([fault, step, BATCHES]);
    expect(waitedMs).toBeLessThan(LEASE_MS + BEAT_MS);
    await time.run(Promise.race([running, time.sleep(SUSPENDED_MS * 2)]), 600_000);
    // Whatever the first run did afterwards, its numbers are below those of the second.
    const overtaken = first.lost !== undefined || first.isKilled;
    if (overtaken) expect(ascends([...first.given, ...second.given])).toBe(true);
    if (fault !== 'suspended' && !first.isKilled) expect(first.lost).toBeUndefined();
  }
});

test.each(FAULTS)('whichever operation of the next run %s, the numbers ascend', async (fault) => {
  for (let step = 0; step < STEPS; step++) {
    const [time, row] = [new Time(), new Row()];
    const killed = new Run(time, row, 'killed', (nth) => (nth === 6 ? 'killed after' : 'none'));
    void work(killed);
    await time.run(time.sleep(10_000), 10_001);
    expect(row.value?.holder).toBe('killed');
    const next = new Run(time, row, 'next', (operation) => (operation === step ? fault : 'none'));
    const running = work(next).catch((error: BigtraceError) => error);
    await time.run(Promise.race([running, time.sleep(400_000)]), 500_000);
    const last = new Run(time, row, 'last', SOUND);
    await time.run(work(last), 300_000);
    expect([fault, step, last.given.length]).toEqual([fault, step, BATCHES]);
    expect(ascends([...killed.given, ...next.given, ...last.given])).toBe(true);
  }
});

test('of runs at once one works; the others say who it is', async () => {
  const [time, row] = [new Time(), new Row()];
  const runs = ['a', 'b', 'c'].map((name) => new Run(time, row, name, SOUND));
  const outcomes = Promise.all(
    runs.map((run) =>
      work(run).then(
        () => 'done',
        (error: BigtraceError) => `${error.code}: ${error.message}`,
      ),
    ),
  );
  await time.run(outcomes, 100_000);
  const all = await outcomes;
  expect(all.filter((one) => one === 'done')).toHaveLength(1);
  const winner = runs[all.indexOf('done')]?.name;
  const refused = `too_many_queries: the run is running: process of ${winner}; run it again when that has ended`;
  expect(all.filter((one) => one === refused)).toHaveLength(2);
  expect(time.now).toBeLessThan(BEAT_MS * 4);
});

test('a run that is slow, but alive, is not overtaken', async () => {
  const [time, row] = [new Time(), new Row()];
  const slow = new Run(time, row, 'slow', SOUND);
  const acquired = slow.acquire();
  await time.run(acquired, 1000);
  const lock = await acquired;
  for (let nth = 0; nth < 20; nth++) {
    const other = new Run(time, row, `other ${nth}`, SOUND);
    const refused = other.acquire().catch((error: BigtraceError) => error.code);
    await time.run(refused, LEASE_MS);
    expect([await refused, other.waited]).toEqual(['too_many_queries', true]);
  }
  expect(slow.lost).toBeUndefined();
  await time.run(slow.newRun(lock), 1000);
});

test('waiting for a lock can be interrupted', async () => {
  const [time, row] = [new Time(), new Row()];
  const killed = new Run(time, row, 'killed', (nth) => (nth === 6 ? 'killed after' : 'none'));
  void work(killed);
  await time.run(time.sleep(10_000), 10_001);
  const stop = new AbortController();
  const waiting = new Run(time, row, 'waiting', SOUND);
  const refused = waiting.acquire(stop.signal).catch((error: BigtraceError) => error.message);
  await time.run(time.sleep(5000), 5001);
  expect(waiting.waited).toBe(true);
  stop.abort();
  await time.run(refused, 2000);
  expect(await refused).toBe('the run was interrupted');
  expect(row.value?.holder).toBe('killed');
});

test('a run without contact to the lock ends before another one takes over', async () => {
  const [time, row] = [new Time(), new Row()];
  let isCut = false;
  const cut = new Run(time, row, 'cut', () => (isCut ? 'fails' : 'none'));
  const acquired = cut.acquire();
  await time.run(acquired, 1000);
  const lock = await acquired;
  isCut = true;
  const next = new Run(time, row, 'next', SOUND);
  const taken = next.acquire();
  const lostMs = (async () => {
    while (cut.lost === undefined) await time.sleep(100);
    return time.now;
  })();
  await time.run(Promise.all([taken, lostMs]), LEASE_MS + BEAT_MS);
  expect(await lostMs).toBeLessThan(time.now);
  expect(cut.lost?.message).toContain('the run lost its lock: no contact to the lock for 20 s');
  isCut = false;
  await expect(lock.newRun(1n)).rejects.toThrow('lost its lock');
});

test('a run that was suspended is told at once who took over', async () => {
  const [time, row] = [new Time(), new Row()];
  let isNext = false;
  const first = new Run(time, row, 'first', () => {
    const fault = isNext ? 'suspended' : 'none';
    isNext = false;
    return fault;
  });
  const acquired = first.acquire();
  await time.run(acquired, 1000);
  isNext = true;
  const refused = (await acquired).check().catch((error: BigtraceError) => error.message);
  await time.run(time.sleep(1000), 1001);
  const next = new Run(time, row, 'next', SOUND).acquire();
  await time.run(next, SUSPENDED_MS);
  await time.run(refused, SUSPENDED_MS);
  expect(await refused).toBe(
    'the run lost its lock: another run took over: process of next; run it again',
  );
  expect(first.lost?.message).toBe(await refused);
});

test('a run whose network drops all packets ends before another one takes over', async () => {
  const [time, row] = [new Time(), new Row()];
  let isCut = false;
  const cut = new Run(time, row, 'cut', () => (isCut ? 'is never answered' : 'none'));
  const acquired = cut.acquire();
  await time.run(acquired, 1000);
  isCut = true;
  const next = new Run(time, row, 'next', SOUND).acquire();
  await time.run(next, LEASE_MS + BEAT_MS);
  expect(cut.lost?.message).toContain('the run lost its lock: no contact to the lock for 20 s');
});

test('a run that cannot read whether it got the lock reads again', async () => {
  const [time, row] = [new Time(), new Row()];
  const run = new Run(time, row, 'run', (operation) => (operation === 4 ? 'fails' : 'none'));
  const acquired = run.acquire();
  await time.run(time.sleep(9 * LATENCY_MS), 10 * LATENCY_MS);
  expect(row.value?.holder).toBe('run');
  await time.run(acquired, 10_000);
});

test('a run that was suspended while it looked at the lock looks again', async () => {
  const [time, row] = [new Time(), new Row()];
  let operations = 0;
  const first = new Run(time, row, 'first', () => (operations-- === 1 ? 'suspended' : 'none'));
  const acquired = first.acquire();
  await time.run(acquired, 1000);
  operations = 2; // its change, and then its look
  const refused = (await acquired).check().catch((error: BigtraceError) => error.message);
  await time.run(time.sleep(1000), 1001);
  const next = new Run(time, row, 'next', SOUND).acquire();
  await time.run(next, SUSPENDED_MS);
  await time.run(refused, SUSPENDED_MS);
  expect(await refused).toContain('another run took over: process of next');
});

test('random faults of many runs give no number twice, and none below that of an earlier holder', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomOf(seed);
    const [time, row] = [new Time(), new Row()];
    const fault = (): Fault => (random() < 0.1 ? pick(FAULTS, random) : 'none');
    const runs = Array.from({ length: 12 }, (_, nth) => new Run(time, row, `run ${nth}`, fault));
    const all = runs.map(async (run) => {
      await time.sleep(random() * 200_000);
      await work(run).catch(() => {});
    });
    await time.run(Promise.race([Promise.all(all), time.sleep(2_000_000)]), 2_000_001);
    const last = new Run(time, row, 'last', SOUND);
    await time.run(work(last), 300_000);
    const given = runs.flatMap((run) => run.given);
    expect(new Set(given).size).toBe(given.length);
    // Each run held the lock once, so between its numbers there are none of other runs.
    const spans = runs.filter((run) => run.given.length > 0).map(({ given }) => given);
    spans.sort((one, other) => Number((one[0] ?? 0n) - (other[0] ?? 0n)));
    expect([seed, ascends([...spans.flat(), ...last.given])]).toEqual([seed, true]);
  }
});

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function pick<T>(all: readonly T[], random: () => number): T {
  return all[Math.floor(random() * all.length)] as T;
}
