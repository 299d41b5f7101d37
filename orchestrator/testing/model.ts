/**
 * A fleet without network, in virtual time: workers that keep to the protocol of `Run` and do at random
 * whatever it allows: answer slowly, in pieces, give back, drain, break off, hang, leave and come again.
 */
import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { BigtraceError } from '../../common/errors.ts';
import { toServiceError } from '../../common/grpc-errors.ts';
import type { RunEvent, RunRequest, TaskStats } from '../../proto/messages.ts';
import { type Fleet, FleetWorker } from '../fleet.ts';
import type { RunCall, WorkerClient } from '../worker-client.ts';

/** Numbers that are the same for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to, not with, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }
}

/** What happens, as shares of 1: of traces, of attempts, of streams. */
export interface Habits {
  dice: Dice;
  /** Attempts that take very long. */
  slow: number;
  /** Attempts that fail although another one may not. */
  flaky: number;
  /** Streams that break at some time, or drain. */
  breaks: number;
  drains: number;
  /** Streams that say nothing more from some time on. */
  hangs: number;
  /** The chunks that a trace answers with; undefined: it does not load, anywhere. */
  chunksOf(trace: string): string[] | undefined;
}

const STATS: TaskStats = { rows: 1, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'resident' };

const KILLED = Object.assign(new Error('connection reset'), {
  ...{ code: 14, details: 'connection reset', metadata: new Metadata() },
});

export class ModelFleet extends EventEmitter {
  readonly #habits: Habits;
  workers: FleetWorker[];
  /** What a worker must never be told; empty where the orchestrator keeps to the protocol. */
  readonly misuses: string[] = [];
  threads = 1;

  constructor(habits: Habits, count: number) {
    super();
    this.#habits = habits;
    this.workers = Array.from({ length: count }, (_, at) => this.#worker(`worker-${at}:1`));
  }

  /** What a query sees of it. */
  get asFleet(): Fleet {
    return this as unknown as Fleet;
  }

  get usable(): FleetWorker[] {
    return this.workers.filter(({ usable }) => usable);
  }

  noWorkers(): BigtraceError {
    return new BigtraceError('no_workers', 'no worker can be reached');
  }

  suspect(worker: FleetWorker, reason: string): void {
    if (worker.state === 'ready') this.lose(worker, reason);
  }

  /** It is found again after a while; sometimes as another process at the same address. */
  lose(worker: FleetWorker, reason: string): void {
    const { dice } = this.#habits;
    worker.suspect(reason);
    this.emit('change');
    setTimeout(() => {
      if (worker.gone) return;
      if (dice.chance(0.3)) {
        worker.leave();
        this.workers = this.workers.map((one) =>
          one === worker ? this.#worker(one.address) : one,
        );
      } else worker.state = 'ready';
      this.emit('change');
    }, dice.below(400));
  }

  noteDraining(worker: FleetWorker): void {
    if (worker.state !== 'ready') return;
    worker.state = 'draining';
    this.emit('change');
    setTimeout(() => this.lose(worker, 'connect ECONNREFUSED'), this.#habits.dice.below(200));
  }

  #worker(address: string): FleetWorker {
    const client = {
      run: () => new ModelCall(this, worker, this.#habits) as unknown as RunCall,
      close: () => undefined,
    } as unknown as WorkerClient;
    const worker: FleetWorker = new FleetWorker(address, () => client);
    worker.state = 'ready';
    worker.status = {
      ...{ version: '', engine: '', threads: this.threads, tasksRunning: 0, tasksQueued: 0 },
      ...{ uptimeMs: 0, draining: false, counters: {}, gauges: {} },
      // Of another worker that was at this address before, perhaps.
      firstCredits: this.#habits.dice.below(9),
    };
    return worker;
  }
}

/** One stream: both its ends. */
class ModelCall extends EventEmitter {
  readonly #fleet: ModelFleet;
  readonly #worker: FleetWorker;
  readonly #habits: Habits;
  /** Assigned and not ended, oldest first; true once it was begun. */
  readonly #tasks = new Map<number, { trace: string; begun: boolean }>();
  /** What the orchestrator may believe to have. */
  #credits = 0;
  /** So many of these are none. */
  #surplus = 0;
  #paused = false;
  #waiting: RunEvent[] = [];
  #noMore = false;
  #over = false;
  #hangs = false;

  constructor(fleet: ModelFleet, worker: FleetWorker, habits: Habits) {
    super();
    this.#fleet = fleet;
    this.#worker = worker;
    this.#habits = habits;
    const { dice, breaks, drains, hangs } = habits;
    if (dice.chance(breaks)) this.#later(dice.below(300), () => this.#fail(KILLED));
    if (dice.chance(drains)) this.#later(dice.below(300), () => this.#drain());
    if (dice.chance(hangs)) this.#later(dice.below(300), () => this.#hang());
  }

  // ---- what the orchestrator calls

  write({ start, assign, withdraw }: RunRequest): void {
    if (start) this.#start(start.credits ?? 0);
    for (const { id, trace } of assign?.task ?? []) this.#assigned(id, trace.toString());
    for (const id of withdraw?.id ?? []) this.#later(1, () => this.#giveBack(id));
    this.#begin();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#later(0, () => this.#deliver());
  }

  end(): void {
    this.#noMore = true;
    this.#endWhenDone();
  }

  cancel(): void {
    // What is on its way still comes, and the end of it a moment later.
    this.#later(1, () => {
      this.#over = true;
      this.emit('error', Object.assign(new Error('cancelled'), { ...KILLED, code: 1 }));
    });
  }

  // ---- the worker

  /** It may take fewer than its status said, or more. */
  #start(counted: number): void {
    this.#later(this.#habits.dice.below(3), () => this.emit('metadata'));
    const window = 2 + this.#habits.dice.below(6);
    this.#credits = counted;
    this.#surplus = Math.max(counted - window, 0);
    if (window > counted) this.#give(window - counted);
  }

  #assigned(id: number, trace: string): void {
    if (this.#over) return;
    const { misuses } = this.#fleet;
    if (this.#tasks.has(id)) misuses.push(`task ${id} was assigned twice`);
    if (this.#credits-- <= 0) misuses.push(`task ${id} was assigned without a credit`);
    // What is beyond the window comes back, and no credit with it.
    if (this.#credits < this.#surplus) {
      this.#surplus--;
      this.#say({ returned: { id: [id] } });
      return;
    }
    this.#tasks.set(id, { trace, begun: false });
    if (this.#noMore) this.#giveBack(id);
  }

  #begin(): void {
    let running = [...this.#tasks.values()].filter(({ begun }) => begun).length;
    for (const [id, task] of this.#tasks) {
      if (running >= this.#fleet.threads || this.#noMore) return;
      if (task.begun) continue;
      task.begun = true;
      running += 1;
      this.#answer(id, task.trace);
    }
  }

  #answer(id: number, trace: string): void {
    const { dice, slow, flaky, chunksOf } = this.#habits;
    const pace = dice.chance(slow) ? 400 : 8;
    const chunks = chunksOf(trace);
    const fails = chunks === undefined || dice.chance(flaky);
    const upTo = chunks === undefined ? 0 : fails ? dice.below(chunks.length) : chunks.length;
    let at = 0;
    const next = (): void => {
      if (at < upTo) {
        const last = ++at === chunks?.length;
        const result = Buffer.from(chunks?.[at - 1] ?? '');
        const rows = { id, result, last, ...(last ? { stats: STATS } : {}) };
        if (last) this.#ended(id, { rows });
        else {
          this.#say({ rows });
          this.#later(dice.below(pace), next);
        }
      } else {
        const code = chunks === undefined ? 'trace_invalid' : 'store_failed';
        this.#ended(id, { failure: { id, code, message: 'as it happens' } });
      }
    };
    this.#later(dice.below(pace), next);
  }

  #ended(id: number, event: RunEvent): void {
    this.#tasks.delete(id);
    this.#say(event);
    if (!this.#noMore) this.#give(1);
    this.#begin();
    this.#endWhenDone();
  }

  #giveBack(id: number): void {
    if (this.#tasks.get(id)?.begun === false) this.#ended(id, { returned: { id: [id] } });
  }

  #drain(): void {
    this.#noMore = true;
    this.#say({ draining: true });
    for (const id of this.#tasks.keys()) this.#giveBack(id);
    this.#endWhenDone();
    this.#fleet.noteDraining(this.#worker);
  }

  /** The orchestrator's questions how the worker is find that out. */
  #hang(): void {
    this.#hangs = true;
    this.#later(this.#habits.dice.below(500), () =>
      this.#fleet.suspect(this.#worker, 'worker did not answer'),
    );
  }

  #endWhenDone(): void {
    if (!this.#noMore || this.#tasks.size > 0 || this.#over) return;
    this.#later(1, () => {
      this.#deliver();
      this.#over = true;
      this.emit('end');
    });
  }

  #give(credits: number): void {
    this.#credits += credits;
    this.#say({ credits });
  }

  /** Events of a moment come in one message, or in several. */
  #say(event: RunEvent): void {
    if (this.#hangs) return;
    this.#waiting.push(event);
    this.#later(this.#habits.dice.below(3), () => this.#deliver());
  }

  #deliver(): void {
    if (this.#paused || this.#over || this.#waiting.length === 0) return;
    const event = this.#waiting;
    this.#waiting = [];
    this.emit('data', { event });
  }

  #fail(error: Error): void {
    this.#over = true;
    this.emit('error', this.#habits.dice.chance(0.2) ? toServiceError(DRAINING) : error);
  }

  #later(ms: number, work: () => void): void {
    setTimeout(() => {
      if (!this.#over) work();
    }, ms);
  }
}

const DRAINING = new BigtraceError('draining', 'worker is shutting down');
