/** Models a `Run` stream: the client end that the orchestrator uses, and the worker behind it. */
import { EventEmitter } from 'node:events';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import type { RunEvent, RunRequest, TaskPhase, TaskStats } from '../../lib/proto/messages.ts';
import { type Habits, KILLED, variantsOf } from './model-habits.ts';

const STATS: TaskStats = { rows: 1, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'loaded' };
const DRAINING = new BigtraceError('draining', 'worker is shutting down');

/** The interval at which real workers report task states, too. */
const STATES_EVERY_MS = 1000;
const LOAD_MS_MAX = 5000;

/** The worker process at the other end of a stream. */
export interface StreamWorker {
  readonly threads: number;
  readonly streams: Set<ModelStream>;
  /** Traces that the process has barred. */
  readonly barred: Set<string>;
  readonly hung: boolean;
  readonly draining: boolean;
  hang(): void;
  drain(): void;
  die(): void;
}

/** The network that a stream belongs to. */
export interface StreamNetwork {
  readonly habits: Habits;
  /** Violations of the protocol by the orchestrator. */
  readonly misuses: string[];
  /** Number of workers that load a trace whose load never ends by itself, by trace and query. */
  readonly loading: Map<string, number>;
  /** Number of assignments of a trace that were not given back, by trace and query. */
  readonly attempts: Map<string, number>;
  later(ms: number, work: () => void): void;
}

interface Task {
  trace: string;
  begun: boolean;
  at: number;
}

export class ModelStream extends EventEmitter {
  readonly #network: StreamNetwork;
  readonly #worker: StreamWorker | undefined;
  /** Tasks that are assigned and have not ended, oldest first. */
  readonly #tasks = new Map<number, Task>();
  /** The traces of all tasks that were ever assigned on this stream. */
  readonly #traces = new Map<number, string>();
  readonly #withdrawn = new Set<number>();
  /** Credits that the orchestrator may count on. */
  #credits = 0;
  /** Number of these credits that the worker does not honour: it gives such tasks back. */
  #surplus = 0;
  #queryId = '';
  #paused = false;
  #waiting: RunEvent[] = [];
  #noMore = false;
  #over = false;
  /** Whether messages of the worker are delayed. */
  #mute = false;

  constructor(network: StreamNetwork, worker: StreamWorker | undefined) {
    super();
    this.#network = network;
    this.#worker = worker;
    const { dice, breaks, drains, hangs, dies, mutes } = network.habits;
    if (worker === undefined) {
      this.#later(1, () => this.fail(KILLED));
      return;
    }
    worker.streams.add(this);
    if (worker.draining) this.#later(1, () => this.fail(KILLED));
    if (dice.chance(breaks)) this.#later(dice.below(300), () => this.fail(KILLED));
    if (dice.chance(drains)) this.#later(dice.below(300), () => worker.drain());
    if (dice.chance(hangs)) this.#later(dice.below(300), () => worker.hang());
    if (dice.chance(dies)) this.#later(dice.below(300), () => worker.die());
    if (dice.chance(mutes)) this.#later(dice.below(300), () => this.#fallSilent());
    this.#reportStates();
  }

  get running(): number {
    return [...this.#tasks.values()].filter(({ begun }) => begun).length;
  }

  // ---- the client end, called by the orchestrator

  write({ start, assign, withdraw, cancel }: RunRequest): void {
    if (start) {
      this.#queryId = start.queryId;
      this.#start(start.credits);
    }
    for (const { id, trace } of assign?.task ?? []) this.#assigned(id, trace.toString());
    for (const id of withdraw?.id ?? []) this.#withdraw(id);
    for (const id of cancel?.id ?? []) this.#later(1, () => this.#cancel(id));
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
    this.emit('silent');
    // Messages in transit still arrive, and the stream ends a moment later.
    this.#later(1, () => {
      this.#close();
      this.emit('error', Object.assign(new Error('cancelled'), { ...KILLED, code: 1 }));
    });
  }

  // ---- the worker end

  /** Accepts fewer or more tasks than the `counted` credits of the worker's last status. */
  #start(counted: number): void {
    const { dice } = this.#network.habits;
    this.#later(dice.below(3), () => this.emit('metadata'));
    const window = 2 + dice.below(6);
    this.#credits = counted;
    this.#surplus = Math.max(counted - window, 0);
    if (window > counted) this.#give(window - counted);
  }

  #assigned(id: number, trace: string): void {
    if (this.#over) return;
    const { misuses } = this.#network;
    if (this.#traces.has(id)) misuses.push(`task ${id} was assigned twice`);
    this.#traces.set(id, trace);
    this.#count(trace, 1);
    if (this.#credits-- <= 0) misuses.push(`task ${id} was assigned without a credit`);
    // A task beyond the window is given back without a credit.
    if (this.#credits < this.#surplus) {
      this.#surplus--;
      this.#send({ returned: { id: [id] } });
      return;
    }
    this.#tasks.set(id, { trace, begun: false, at: performance.now() });
    if (this.#noMore) this.#returnTask(id);
  }

  #withdraw(id: number): void {
    if (this.#withdrawn.has(id)) this.#network.misuses.push(`task ${id} was withdrawn twice`);
    this.#withdrawn.add(id);
    this.#later(1, () => this.#returnTask(id));
  }

  #count(trace: string, more: number): void {
    const { attempts } = this.#network;
    const key = `${trace} of query ${this.#queryId}`;
    attempts.set(key, (attempts.get(key) ?? 0) + more);
  }

  #begin(): void {
    if (this.#worker === undefined) return;
    let { running } = this;
    for (const [id, task] of this.#tasks) {
      if (running >= this.#worker.threads || this.#noMore) return;
      if (task.begun) continue;
      task.begun = true;
      running += 1;
      if (this.#network.habits.neverLoads(task.trace)) this.#load(id, task, this.#worker);
      else this.#returnRows(id, task);
    }
  }

  /** Loads a trace until the worker's time limit ends the load and bars the trace; a barred trace fails at once. */
  #load(id: number, task: Task, { barred }: StreamWorker): void {
    const { loading, misuses } = this.#network;
    const end = (): void =>
      this.#ended(id, {
        failure: {
          id,
          code: 'limit_exceeded',
          message: 'load took too long',
          threadMs: LOAD_MS_MAX,
          neededBytes: 0,
        },
      });
    if (barred.has(task.trace)) {
      this.#later(1, () => this.#tasks.get(id) === task && end());
      return;
    }
    const key = `${task.trace} of query ${this.#queryId}`;
    const others = loading.get(key) ?? 0;
    if (others > 0) misuses.push(`${key} is loaded by two workers at a time`);
    loading.set(key, others + 1);
    let ends = false;
    const leave = (): void => {
      if (ends) return;
      ends = true;
      loading.set(key, (loading.get(key) ?? 1) - 1);
    };
    this.once('over', leave);
    this.once('silent', leave); // the orchestrator may hedge a task of a silent worker
    if (this.#mute) leave();
    this.once(`ended ${id}`, leave);
    this.#later(LOAD_MS_MAX, () => {
      if (this.#tasks.get(id) !== task) return;
      barred.add(task.trace);
      end();
    });
  }

  #returnRows(id: number, task: Task): void {
    const { dice, slow, flaky, changes, chunksOf } = this.#network.habits;
    const pace = dice.chance(slow) ? 400 : 8;
    const usual = chunksOf(task.trace);
    const variants = usual === undefined ? [] : variantsOf(usual);
    const chunks = dice.chance(changes) ? variants[dice.below(variants.length)] : usual;
    const fails = chunks === undefined || dice.chance(flaky);
    const upTo = chunks === undefined ? 0 : fails ? dice.below(chunks.length) : chunks.length;
    let at = 0;
    const next = (): void => {
      if (this.#tasks.get(id) !== task) return; // the task was cancelled
      if (at < upTo) {
        const last = ++at === chunks?.length;
        const result = Buffer.from(chunks?.[at - 1] ?? '');
        const rows = { id, result, last, stats: last ? STATS : null };
        if (last) this.#ended(id, { rows });
        else {
          this.#send({ rows });
          this.#later(dice.below(pace), next);
        }
      } else {
        const code = chunks === undefined ? 'trace_invalid' : 'store_failed';
        this.#ended(id, {
          failure: { id, code, message: 'as it happens', threadMs: 0, neededBytes: 0 },
        });
      }
    };
    this.#later(dice.below(pace), next);
  }

  #ended(id: number, event: RunEvent): void {
    this.#tasks.delete(id);
    this.emit(`ended ${id}`);
    this.#send(event);
    if (!this.#noMore) this.#give(1);
    this.#begin();
    this.#endWhenDone();
  }

  #returnTask(id: number): void {
    if (this.#tasks.get(id)?.begun === false) this.#ended(id, { returned: { id: [id] } });
  }

  #cancel(id: number): void {
    if (this.#tasks.has(id)) this.#ended(id, { returned: { id: [id] } });
  }

  drain(): void {
    if (this.#over || this.#noMore) return;
    this.#noMore = true;
    this.#send({ draining: true });
    for (const id of this.#tasks.keys()) this.#returnTask(id);
    this.#endWhenDone();
  }

  /** Reports tasks older than a second about once a second, with a random delay. */
  #reportStates(): void {
    this.#later(STATES_EVERY_MS + this.#network.habits.dice.below(200), () => {
      const now = performance.now();
      const state = [...this.#tasks].flatMap(([id, { at, begun, trace }]) => {
        const phase: TaskPhase = !begun
          ? 'QUEUED'
          : this.#network.habits.neverLoads(trace)
            ? 'PARSING'
            : 'RUNNING_SQL';
        const phaseMs = now - at;
        return phaseMs < STATES_EVERY_MS
          ? []
          : [{ id, phase, phaseMs, threadMs: begun ? phaseMs : 0 }];
      });
      if (state.length > 0) this.#send({ states: { state } });
      this.#reportStates();
    });
  }

  #fallSilent(): void {
    this.#mute = true;
    this.emit('silent');
    this.#later(this.#network.habits.dice.below(12_000), () => {
      this.#mute = false;
      this.#deliver();
    });
  }

  #endWhenDone(): void {
    if (!this.#noMore || this.#tasks.size > 0 || this.#over) return;
    this.#later(1, () => {
      this.#deliver();
      this.#close();
      this.emit('end');
    });
  }

  #give(credits: number): void {
    this.#credits += credits;
    this.#send({ credits });
  }

  /** Sends an event; events that are close together may share a message. */
  #send(event: RunEvent): void {
    if (this.#worker?.hung !== false) return;
    this.#waiting.push(event);
    this.#later(this.#network.habits.dice.below(3), () => this.#deliver());
  }

  #deliver(): void {
    if (this.#paused || this.#mute || this.#over || this.#waiting.length === 0) return;
    const event = this.#waiting;
    this.#waiting = [];
    for (const { returned } of event)
      for (const id of returned?.id ?? []) this.#count(this.#traces.get(id) ?? '', -1);
    this.emit('data', { event });
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#close();
    this.emit('error', this.#network.habits.dice.chance(0.2) ? toServiceError(DRAINING) : error);
  }

  #close(): void {
    this.#over = true;
    this.#worker?.streams.delete(this);
    this.emit('over');
  }

  #later(ms: number, work: () => void): void {
    this.#network.later(ms, () => {
      if (!this.#over) work();
    });
  }
}
