/** The tasks of a query, and a queue of them. */
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { TraceDigest } from '../query/trace-set.ts';
import type { FoundTrace, Listed } from '../query/trace-source.ts';
import { Replay } from './replay.ts';
import { Unreached } from './retry.ts';

/** How long a generation seen in a listing is trusted. */
const LISTED_MS_MAX = 2000;

export class QueryTask {
  /**
   * Identifies the task on streams. Each attempt has a new id, because the worker of a cancelled hedge may still send
   * events of the attempt before.
   */
  id = 0;
  readonly trace: Buffer;
  readonly digest: TraceDigest;
  /** Number of attempts; an assignment that was given back, or did not reach its worker, is not counted. */
  attempts = 0;
  readonly unreached = new Unreached();
  crashes = 0;
  /** Whether a worker was lost while it read, parsed or queried the trace: it may have run out of memory. */
  alone = false;
  /** Addresses of the workers on which the task failed. */
  failedOn: string[] = [];
  /** Memory in bytes that a worker must allow an engine; 0: not known. */
  neededBytes = 0;
  readonly replay = new Replay();
  /** Number of workers that it is assigned to: two while it is hedged. */
  assignments = 0;
  /** When it was last assigned from a worker queue, in ms of performance.now(). */
  assignedAt = 0;
  /** Address of the worker to assign it to when its withdrawal succeeds. */
  withdrawnFor: string | undefined;
  /** Address of the worker on which it waited for longer than loading its trace takes. */
  overloaded: string | undefined;
  /** Whether it is placed on another worker than its preferred one. */
  displaced = false;

  readonly #listed: Listed | undefined;

  constructor({ trace, digest, listed }: FoundTrace) {
    this.trace = trace;
    this.digest = digest;
    this.#listed = listed;
  }

  /** Whether it has not failed on the worker, and is not known to need more memory than an engine may have there. */
  mayRunOn({
    address,
    instanceMemoryBytes,
  }: {
    address: string;
    instanceMemoryBytes: number;
  }): boolean {
    return !this.failedOn.includes(address) && instanceMemoryBytes >= this.neededBytes;
  }

  /** Bytes of the trace; 0 if no listing reported them. */
  get size(): number {
    return this.#listed?.size ?? 0;
  }

  /** Returns the generation seen in the query's listing if that is at most LISTED_MS_MAX old, else an empty string. */
  generationAt(now: number): string {
    if (this.#listed === undefined || now - this.#listed.sinceMs > LISTED_MS_MAX) return '';
    return this.#listed.generation;
  }

  /** The trace address in printable form, for messages. */
  get name(): string {
    return printable(textFromBytes(this.trace));
  }
}

/** A queue of tasks: its worker takes from the front, and other workers steal from the back. */
export class TaskQueue {
  #tasks: QueryTask[] = [];
  #head = 0;

  get length(): number {
    return this.#tasks.length - this.#head;
  }

  push(task: QueryTask): void {
    this.#tasks.push(task);
  }

  /** Removes and returns up to `count` tasks from the front. */
  shift(count: number): QueryTask[] {
    const taken = this.#tasks.slice(this.#head, this.#head + count);
    this.#head += taken.length;
    if (
      this.#head === this.#tasks.length ||
      (this.#head > 1024 && this.#head * 2 > this.#tasks.length)
    ) {
      this.#tasks = this.#tasks.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Removes and returns the last task if `fits` accepts it. */
  popIf(fits: (task: QueryTask) => boolean): QueryTask | undefined {
    const last = this.#tasks.at(-1);
    if (this.length === 0 || last === undefined || !fits(last)) return undefined;
    return this.#tasks.pop();
  }

  clear(): QueryTask[] {
    return this.shift(this.length);
  }
}
