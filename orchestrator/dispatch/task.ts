/** A trace on its way through a query. */
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { TraceDigest } from '../query/trace-set.ts';
import type { FoundTrace, Listed } from '../query/trace-source.ts';
import { Replay } from './replay.ts';

/** What a listing said is taken for what is for so long. */
const LISTED_MS_MAX = 2000;

export class QueryTask {
  /**
   * Names it to workers: another one whenever it is given out anew, for a worker that another one was
   * quicker than may still be at it, and what it says then is of the attempt before.
   */
  id = 0;
  readonly trace: Buffer;
  readonly digest: TraceDigest;
  /** How often a worker was given it and neither answered nor gave it back. */
  attempts = 0;
  crashes = 0;
  /** Addresses of the workers it failed on. */
  failedOn: string[] = [];
  readonly replay = new Replay();
  /** How many workers have it: two while a second one tries what takes the first too long. */
  holders = 0;
  /** When the worker that has it was given it; milliseconds of performance.now(). */
  assignedAt = 0;
  /** Address of the worker that should have it when its withdrawal succeeds. */
  wantedBy: string | undefined;
  /** Whether it is with another worker than the one its hash ranks first. */
  displaced = false;

  readonly #listed: Listed | undefined;

  constructor({ trace, digest, listed }: FoundTrace) {
    this.trace = trace;
    this.digest = digest;
    this.#listed = listed;
  }

  /** As the query's listing said, where that was a moment ago; else empty. */
  generationAt(now: number): string {
    if (this.#listed === undefined || now - this.#listed.sinceMs > LISTED_MS_MAX) return '';
    return this.#listed.generation;
  }

  /** The trace's address for messages. */
  get name(): string {
    return printable(textFromBytes(this.trace));
  }
}

/** A queue of tasks: taken from the front by their own worker, from the back by others. */
export class TaskQueue {
  #tasks: QueryTask[] = [];
  #head = 0;

  get length(): number {
    return this.#tasks.length - this.#head;
  }

  push(task: QueryTask): void {
    this.#tasks.push(task);
  }

  /** Up to `count` from the front. */
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

  /** The last one, where `fits` says so of it. */
  popIf(fits: (task: QueryTask) => boolean): QueryTask | undefined {
    const last = this.#tasks.at(-1);
    if (this.length === 0 || last === undefined || !fits(last)) return undefined;
    return this.#tasks.pop();
  }

  clear(): QueryTask[] {
    return this.shift(this.length);
  }
}
