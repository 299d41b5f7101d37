/** One server's share of a query (shares.ts): a queue of rows, which the response to that server reads. */
import type { RowsEvent } from '../grpc/messages.ts';

/** A share with more than this has no room. */
const QUEUE_BYTES_MAX = 8 * 2 ** 20;

/** Memory that queued rows take besides their bytes. */
const ROWS_BYTES = 300;

interface Queued {
  key: string;
  rows: RowsEvent;
  next: Queued | undefined;
}

/** First in, first out. A list, because to remove the first one of a long array takes long. */
class Queue {
  first: Queued | undefined;
  #last: Queued | undefined;

  add(key: string, rows: RowsEvent): void {
    const added = { key, rows, next: undefined };
    if (this.first === undefined) this.first = added;
    else if (this.#last !== undefined) this.#last.next = added;
    this.#last = added;
  }

  take(): Queued | undefined {
    const taken = this.first;
    this.first = taken?.next;
    return taken;
  }
}

export class Share {
  readonly #query: { fail: (error: unknown) => void; leave: () => void };
  #queue = new Queue();
  #queuedBytes = 0;
  /** Bytes of all rows that it was given. */
  #bytes = 0;
  /** Traces that were begun to be read, and whose last rows were not. */
  readonly #begun = new Set<string>();
  #hasEnded = false;
  #hasLeft = false;
  #reject: (error: unknown) => void = () => {};
  /** Called when the reader or the query may go on. */
  #wake = new Set<() => void>();

  /** Rejects when the query has failed. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#reject = reject;
  });

  constructor(query: { fail: (error: unknown) => void; leave: () => void }) {
    this.#query = query;
    this.failed.catch(() => {}); // it may fail before it is read
  }

  /** Whether nobody reads it any longer. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get isEmpty(): boolean {
    return this.#queue.first === undefined;
  }

  get hasRoom(): boolean {
    return this.#queuedBytes <= QUEUE_BYTES_MAX;
  }

  isLessThan(other: Share): boolean {
    return this.#queuedBytes === other.#queuedBytes
      ? this.#bytes < other.#bytes
      : this.#queuedBytes < other.#queuedBytes;
  }

  /** @param key the trace */
  push(key: string, rows: RowsEvent): void {
    if (this.#hasLeft) return;
    this.#queue.add(key, rows);
    const bytes = bytesOf(rows);
    this.#queuedBytes += bytes;
    this.#bytes += bytes;
    this.#changed();
  }

  /** Resolves when there is room for more rows, or nobody reads them. */
  async room(): Promise<void> {
    while (!this.hasRoom && !this.#hasLeft) await this.#change();
  }

  /** Yields the rows until the end of the query. */
  async *rows(): AsyncGenerator<RowsEvent> {
    for (;;) {
      const next = this.#queue.take();
      if (next !== undefined) {
        this.#queuedBytes -= bytesOf(next.rows);
        if (next.rows.last) this.#begun.delete(next.key);
        else this.#begun.add(next.key);
        this.#changed();
        yield next.rows;
      } else if (this.#hasEnded) return;
      else await this.#change();
    }
  }

  /** To be called after the last rows. */
  end(): void {
    this.#hasEnded = true;
    this.#changed();
  }

  /** Ends the share with the error, which `reported` resolves to. */
  failWith(reported: Promise<unknown>): void {
    reported.then(this.#reject, this.#reject);
    this.#hasLeft = true;
    this.#queue = new Queue();
    this.#changed();
  }

  /** Ends the whole query with the error. Rejects with what all its servers report. */
  async fail(error: unknown): Promise<never> {
    this.#query.fail(error);
    return await this.failed;
  }

  /** To be called when the server reads no more. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#query.leave();
    this.#changed();
  }

  /** The rows of traces that were not begun to be read. */
  unbegun(): [string, RowsEvent][] {
    const unbegun: [string, RowsEvent][] = [];
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take())
      if (!this.#begun.has(next.key)) unbegun.push([next.key, next.rows]);
    return unbegun;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.add(resolve));
  }

  #changed(): void {
    const waiting = this.#wake;
    this.#wake = new Set();
    for (const wake of waiting) wake();
  }
}

function bytesOf({ trace, result }: RowsEvent): number {
  return trace.length + result.length + ROWS_BYTES;
}
