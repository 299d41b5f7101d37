/** Batches events into messages, and makes the producers of rows wait while the reader is slow. */
import type { RunEvent, RunResponse } from '../../lib/proto/messages.ts';
import type { Outlet } from '../tasks/task-request.ts';

/** A message is sent when its events have this size, or when all events of the moment are added. */
const MESSAGE_BYTES = 2 ** 20;
/** Pending bytes above which producers of rows wait. */
const PENDING_BYTES_MAX = 4 * 2 ** 20;
/** Approximate size of an event without its rows, in bytes. */
const EVENT_BYTES = 32;

/** The writable half of a gRPC stream. */
export interface EventSink {
  write(message: RunResponse): boolean;
  end(): void;
  once(event: 'drain', listener: () => void): unknown;
}

export class EventWriter implements Outlet {
  readonly #sink: EventSink;
  #events: RunEvent[] = [];
  #bytes = 0;
  #blocked = false;
  #scheduled = false;
  #closed = false;
  #waiting = new Set<() => void>();

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** Whether so much waits for the reader that no task should begin that would add to it. */
  get full(): boolean {
    return this.#bytes >= PENDING_BYTES_MAX && !this.#closed;
  }

  /** Resolves when the reader has caught up, or after close(). @throws the signal's reason */
  room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (!this.full) return resolve();
      const onAbort = (): void => {
        this.#waiting.delete(onRoom);
        reject(signal.reason);
      };
      const onRoom = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(onRoom);
    });
  }

  /** Adds an event with `bytes` of rows. A producer of rows must wait for the promise, if there is one. */
  add(event: RunEvent, bytes = 0): Promise<void> | undefined {
    if (this.#closed) return undefined;
    this.#events.push(event);
    this.#bytes += bytes + EVENT_BYTES;
    if (this.#bytes >= MESSAGE_BYTES) this.flush();
    else this.#schedule();
    if (this.#bytes < PENDING_BYTES_MAX) return undefined;
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Sends the pending events, unless the sink is blocked; then waiting producers go on. */
  flush(): void {
    if (this.#blocked || this.#closed || this.#events.length === 0) return;
    const event = this.#events;
    this.#events = [];
    this.#bytes = 0;
    if (!this.#sink.write({ event })) this.#block();
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  /** Sends the remaining events even if the reader is slow, and ends the stream. */
  end(): void {
    if (this.#closed) return;
    this.#blocked = false;
    this.flush();
    this.close();
    this.#sink.end();
  }

  /** Drops the pending events and wakes waiting producers; nothing is sent any more. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting) resolve();
  }

  #block(): void {
    this.#blocked = true;
    this.#sink.once('drain', () => {
      this.#blocked = false;
      this.flush();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
