/** The stream to one worker for one query. */

import { fromServiceError, hasOurCode } from '../../lib/common/call-errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { RunEvent, RunStartInput, TaskInput } from '../../lib/proto/messages.ts';
import type { WorkerStream } from '../fleet/worker-client.ts';

export interface RunHandlers {
  onEvents: (events: RunEvent[]) => void;
  /** Called when the stream ends before `finish` or `cancel`. */
  onBroken: (error: BigtraceError) => void;
}

/** Time that a worker has to end its side of a finished stream before the stream is cancelled. */
const FINISH_MS = 2000;

export class WorkerRun {
  readonly #call: WorkerStream;
  #open = true;
  #reached = false;

  constructor(call: WorkerStream, start: RunStartInput, { onEvents, onBroken }: RunHandlers) {
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
    this.#call.on('error', (thrown) => broken(errorOfStream(thrown)));
    this.#call.on('end', () =>
      broken(new BigtraceError('worker_lost', 'the worker ended the stream early')),
    );
    this.#call.write({ start });
  }

  /** Whether the worker accepted the stream, which it confirms at once with its initial metadata. */
  get reached(): boolean {
    return this.#reached;
  }

  assign(task: TaskInput[]): void {
    if (this.#open) this.#call.write({ assign: { task } });
  }

  withdraw(id: number[]): void {
    if (this.#open) this.#call.write({ withdraw: { id } });
  }

  /** Cancels tasks whose result is no longer needed, whether they have begun or not. */
  cancelTasks(id: number[]): void {
    if (this.#open) this.#call.write({ cancel: { id } });
  }

  /** Stops reading. Flow control stops the worker when the connection's window is full. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** Ends the stream after all its tasks have ended. */
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

/**
 * Returns the error that the worker sent. An error of the connection becomes worker_lost, and so does a rejected token:
 * it is being replaced, and the worker is used again when it accepts the orchestrator's.
 */
function errorOfStream(thrown: Error): BigtraceError {
  const error = fromServiceError(thrown, 'worker_lost');
  return hasOurCode(thrown) && error.code !== 'unauthenticated'
    ? error
    : new BigtraceError('worker_lost', error.detail, { cause: thrown });
}
