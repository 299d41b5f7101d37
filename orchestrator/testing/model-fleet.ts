/**
 * Workers without network, in virtual time, under the real fleet: processes that answer status polls late or
 * not at all, hang, drain, die and come back at the same or another address while streams run.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { WorkerClient, WorkerStream } from '../fleet/worker-client.ts';
import { type Habits, KILLED } from './model-habits.ts';
import { ModelStream, type StreamNetwork, type StreamWorker } from './model-stream.ts';

export const WORKER_TIMEOUT_MS = 400;
const RESOLVE_INTERVAL_MS = 300;

/** A worker's process. */
export class ModelWorker implements StreamWorker {
  readonly network: ModelNetwork;
  readonly address: string;
  readonly threads: number;
  readonly streams = new Set<ModelStream>();
  /** Traces that its process has barred. */
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
  /** What a worker must never be told or do; empty where the orchestrator keeps to the protocol. */
  readonly misuses: string[] = [];
  /** Events that have happened. */
  steps = 0;
  /** By trace and query: how many workers are loading it, of those that never end by themselves. */
  readonly loading = new Map<string, number>();
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

  later(ms: number, work: () => void): void {
    setTimeout(() => {
      this.steps += 1;
      work();
    }, ms);
  }

  /** Another process comes, at its address or at another one. */
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
      run: () => new ModelStream(this, this.#workers.get(address)) as unknown as WorkerStream,
      status: (timeoutMs: number) => this.#poll(address, timeoutMs),
      close: () => undefined,
    } as unknown as WorkerClient;
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
            // Of another process that was at this address before, perhaps.
            firstCredits: dice.below(9),
          });
      });
    });
  }
}
