/**
 * Models workers without a network, in virtual time, under the real Fleet. The modelled processes respond to status
 * polls late or never, hang, drain, die, and come back at the same or another address while streams run.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { WorkerClient } from '../fleet/worker-client.ts';
import { type Habits, KILLED } from './model-habits.ts';
import { ModelStream, type StreamNetwork, type StreamWorker } from './model-stream.ts';

export const WORKER_TIMEOUT_MS = 400;
const RESOLVE_INTERVAL_MS = 300;

function notModelled(): never {
  throw new Error('the model has no such call');
}

/** The process of one worker. */
export class ModelWorker implements StreamWorker {
  readonly network: ModelNetwork;
  readonly address: string;
  readonly threads: number;
  readonly streams = new Set<ModelStream>();
  /** Traces that this process has barred. */
  readonly barred = new Set<string>();
  alive = true;
  hung = false;
  draining = false;

  constructor(network: ModelNetwork, address: string, threads: number) {
    this.network = network;
    this.address = address;
    this.threads = threads;
  }

  hang(): void {
    this.hung = true;
    for (const stream of this.streams) stream.emit('silent');
    this.network.later(this.network.habits.dice.below(3000), () => this.die());
  }

  drain(): void {
    if (this.draining || !this.alive) return;
    this.draining = true;
    for (const stream of this.streams) stream.drain();
    this.network.later(this.network.habits.dice.below(300), () => this.die());
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const stream of this.streams) stream.fail(KILLED);
    this.network.died(this);
  }
}

export class ModelNetwork implements StreamNetwork {
  readonly habits: Habits;
  readonly fleet: Fleet;
  /** Violations of the protocol by the orchestrator; must stay empty. */
  readonly misuses: string[] = [];
  /** Number of events so far. */
  steps = 0;
  /** Number of workers that load a trace whose load never ends by itself, by trace and query. */
  readonly loading = new Map<string, number>();
  readonly attempts = new Map<string, number>();
  readonly #workers = new Map<string, ModelWorker>();
  readonly #threads: number;
  #nextPort = 1;

  constructor(habits: Habits, count: number, threads: number) {
    this.habits = habits;
    this.#threads = threads;
    for (let at = 0; at < count; at++) this.#begin(`worker:${this.#nextPort++}`);
    const options = {
      ...{ workerCredentials: {}, workers: ['dns:///workers.model:1'] },
      ...{ resolveIntervalMs: RESOLVE_INTERVAL_MS, workerTimeoutMs: WORKER_TIMEOUT_MS },
      connect: (address: string) => this.#client(address),
      resolve: async () => [...this.#workers.keys()],
    };
    this.fleet = new Fleet(options, createLogger('model', 'silent'));
  }

  /** Number of streams to running processes. */
  get openStreams(): number {
    return [...this.#workers.values()].reduce((sum, { streams }) => sum + streams.size, 0);
  }

  later(ms: number, work: () => void): void {
    setTimeout(() => {
      this.steps += 1;
      work();
    }, ms);
  }

  /** Starts a new process after a while, at the same address or another one. */
  died({ address }: ModelWorker): void {
    const { dice } = this.habits;
    this.#workers.delete(address);
    const next = dice.chance(0.7) ? address : `worker:${this.#nextPort++}`;
    this.later(dice.below(400), () => this.#begin(next));
  }

  #begin(address: string): void {
    this.#workers.set(address, new ModelWorker(this, address, this.#threads));
  }

  #client(address: string): WorkerClient {
    return {
      ...{ list: notModelled, readTrace: notModelled, vocabulary: notModelled, unbar: notModelled },
      sources: notModelled,
      run: () => new ModelStream(this, this.#workers.get(address)),
      status: (timeoutMs: number) => this.#poll(address, timeoutMs),
      close: () => undefined,
    };
  }

  #poll(address: string, timeoutMs: number): ReturnType<WorkerClient['status']> {
    const { dice, slowPolls } = this.habits;
    const tookMs = dice.chance(slowPolls) ? dice.below(timeoutMs * 1.5) : dice.below(3);
    const late = tookMs > timeoutMs;
    return new Promise((resolve, reject) => {
      const lost = (detail: string): void => reject(new BigtraceError('worker_lost', detail));
      this.later(Math.min(tookMs, timeoutMs), () => {
        const worker = this.#workers.get(address);
        if (worker === undefined) lost('connect ECONNREFUSED');
        else if (late || worker.hung)
          this.later(timeoutMs - Math.min(tookMs, timeoutMs), () => lost('no answer'));
        else
          resolve({
            ...{ version: '', engine: '', threads: worker.threads, tasksQueued: 0 },
            tasksRunning: [...worker.streams].reduce((sum, { running }) => sum + running, 0),
            ...{ uptimeMs: 0, draining: worker.draining, counters: {}, gauges: {} },
            ...{
              sqlPackage: [],
              cacheId: '',
              running: [],
              barred: [],
              barredTotal: 0,
              localRoot: [],
              ...{ engineName: '', engineRuntime: '', memory64: false },
            },
            // May be wrong: a real status may come from an earlier process at this address.
            firstCredits: dice.below(9),
            instanceMemoryBytes: 0,
          });
      });
    });
  }
}
