/** One stream to one worker for one query. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { fromServiceError, hasOurCode } from '../../lib/common/grpc-errors.ts';
import type { RunEvent, RunStart, Task } from '../../lib/proto/messages.ts';
import type { WorkerStream } from '../fleet/worker-client.ts';

export interface RunHandlers {
  onEvents: (events: RunEvent[]) => void;
  /** The stream ended before `finish` or `cancel`. */
  onBroken: (error: BigtraceError) => void;
}

/** How long a worker may take to end its side of a stream that is finished. */
const FINISH_MS = 2000;

export class WorkerRun {
  readonly #call: WorkerStream;
  #open = true;
  #reached = false;

  constructor(call: WorkerStream, start: RunStart, { onEvents, onBroken }: RunHandlers) {
    this.#call = call;
    const broken = (error: BigtraceError): void => {
      if (!this.#open) return;
      this.#open = false;
      onBroken(error);
    };
    this.#call.on('metadata', () => {
      this.#reached = true;
    });
    this.#call.on('data', ({ event }) => {
      if (this.#open) onEvents(event);
    });
    this.#call.on('error', (thrown) => broken(saidOrLost(thrown)));
    this.#call.on('end', () =>
      broken(new BigtraceError('worker_lost', 'worker ended the stream too early')),
    );
    this.#call.write({ start });
  }

  /** Whether the worker took the stream: it says so at once. */
  get reached(): boolean {
    return this.#reached;
  }

  assign(task: Task[]): void {
    if (this.#open) this.#call.write({ assign: { task } });
  }

  withdraw(id: number[]): void {
    if (this.#open) this.#call.write({ withdraw: { id } });
  }

  /** Ends traces whose answer is not wanted any more, also those that were begun. */
  cancelTasks(id: number[]): void {
    if (this.#open) this.#call.write({ cancel: { id } });
  }

  /** Stops reading: the worker feels it as soon as the connection's window is full. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** All traces were answered: nothing follows. */
  finish(): void {
    if (!this.#open) return;
    this.#open = false;
    const timer = setTimeout(() => this.#call.cancel(), FINISH_MS);
    timer.unref();
    this.#call.on('status', () => clearTimeout(timer));
    this.#call.resume();
    this.#call.end();
  }

  cancel(): void {
    this.#open = false;
    this.#call.cancel();
  }
}

/** What the worker said itself; any other end of a stream is the connection's. */
function saidOrLost(thrown: Error): BigtraceError {
  const error = fromServiceError(thrown, 'worker_lost');
  return hasOurCode(thrown)
    ? error
    : new BigtraceError('worker_lost', error.detail, { cause: thrown });
}
