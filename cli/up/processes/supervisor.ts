/**
 * Keeps processes running: kills one that hangs, reports and restarts one that died, and gives up if one dies too
 * often.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError, BigtraceError } from '../../../lib/common/errors.ts';
import { type LivenessTimes, untilHung } from './liveness.ts';
import { RESTARTS_MAX, RESTARTS_WINDOW_MS, restartDelayMs } from './restarts.ts';
import type { Exit, RunningService } from './system-process.ts';

/** Starts a process. @param previous its address before a restart */
export type Launch<T> = (signal: AbortSignal, previous?: T) => Promise<RunningService<T>>;

interface Child {
  name: string;
  running: RunningService<unknown> | undefined;
  deathsMs: number[];
}

export class Supervisor {
  readonly #children: Child[] = [];
  readonly #stopping = new AbortController();
  readonly #log: (line: string) => void;
  readonly #times: LivenessTimes | undefined;
  #resolveGaveUp: (error: BigtraceError) => void = () => {};
  /** Resolves with the error when a process has died too often. */
  readonly gaveUp = new Promise<BigtraceError>((resolve) => {
    this.#resolveGaveUp = resolve;
  });

  constructor(log: (line: string) => void, times?: LivenessTimes) {
    this.#log = log;
    this.#times = times;
  }

  /** Aborted when stop() or kill() is called. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get processes(): { name: string; pid: number }[] {
    return this.#children.map(({ name, running }) => ({ name, pid: running?.pid ?? 0 }));
  }

  /** Starts a process and watches it. Resolves when it is ready for the first time. */
  async start<T>(name: string, launch: Launch<T>): Promise<RunningService<T>> {
    const child: Child = { name, running: undefined, deathsMs: [] };
    this.#children.push(child);
    const running = await launch(this.signal);
    child.running = running;
    if (this.signal.aborted) running.kill();
    else void this.#watch(child, running, launch);
    return running;
  }

  /** Stops all processes in reverse order of their start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { running } of this.#stopOrder()) await running?.stop();
  }

  kill(): void {
    this.#stopping.abort();
    for (const { running } of this.#stopOrder()) running?.kill();
  }

  #stopOrder(): Child[] {
    return [...this.#children].reverse();
  }

  async #watch<T>(child: Child, first: RunningService<T>, launch: Launch<T>): Promise<void> {
    let running = first;
    for (;;) {
      const { reason, lastLines } = await this.#endOf(child, running);
      if (this.signal.aborted) return;
      child.running = undefined;
      this.#log(
        [`${child.name} (pid ${running.pid}) died: ${reason}`, ...lastLines].join('\n    '),
      );
      const next = await this.#startAgain(child, launch, running.address);
      if (next === undefined) return;
      this.#log(`${child.name} was restarted (pid ${next.pid})`);
      child.running = next;
      running = next;
    }
  }

  async #endOf<T>(child: Child, { pid, ping, exited, kill }: RunningService<T>): Promise<Exit> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.signal]);
    untilHung(ping, pid, signal, this.#times).then(
      (failure) => {
        this.#log(`${child.name} (pid ${pid}) does not respond: ${failure}`);
        kill();
      },
      () => {}, // the process ended, or everything is stopping
    );
    try {
      return await exited;
    } finally {
      ended.abort();
    }
  }

  async #startAgain<T>(
    child: Child,
    launch: Launch<T>,
    address: T,
  ): Promise<RunningService<T> | undefined> {
    for (;;) {
      const nowMs = performance.now();
      child.deathsMs = [...child.deathsMs, nowMs].slice(-RESTARTS_MAX - 1);
      const delayMs = restartDelayMs(child.deathsMs, nowMs);
      if (delayMs === undefined) {
        const seconds = RESTARTS_WINDOW_MS / 1000;
        const often = `died more than ${RESTARTS_MAX} times within ${seconds} s`;
        this.#resolveGaveUp(
          new BigtraceError('internal', `${child.name} ${often}; stopping the system`),
        );
        return undefined;
      }
      try {
        await sleep(delayMs, undefined, { signal: this.signal });
        const running = await launch(this.signal, address);
        if (!this.signal.aborted) return running;
        running.kill();
        return undefined;
      } catch (thrown) {
        if (this.signal.aborted) return undefined;
        this.#log(asBigtraceError(thrown).message);
      }
    }
  }
}
