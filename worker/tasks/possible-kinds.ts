/**
 * Infers the cell types that a script's columns may have on any trace; needed if a trace has no value in a
 * column. The inference (lib/engine/inference) runs in an additional engine thread without a trace, and its
 * result is cached by script. Users share these threads: scripts whose inference takes long do not delay those of
 * others.
 */
import type { Column } from '../../lib/proto/messages.ts';
import { CellType } from '../../lib/query-result/index.ts';
import type { ThreadPermitOptions, ThreadPermits } from '../scheduling/thread-permits.ts';
import type { Turn } from '../scheduling/turns.ts';
import type { ResultColumn } from './columns.ts';
import type { ScriptFacts } from './script.ts';
import { askSpareThread, type SpareThreadParts } from './spare-thread.ts';

/** Time limit of an inference; a script that takes longer has no inferred types. */
const INFERENCE_MS_MAX = 30_000;
/** Maximum memory of the engine that infers. */
const INFERENCE_BYTES_MAX = 512 * 2 ** 20;

/**
 * One inference at a time, of those that end soon; one that has run for longer than INFERENCE_LONG_MS no longer counts,
 * and as many as INFERENCE_SPARE_THREADS do not. At most INFERENCE_BYTES_MAX of memory each.
 */
const INFERENCE_LONG_MS = 1000;
const INFERENCE_SPARE_THREADS = 3;
export const INFERENCE_THREADS: Omit<ThreadPermitOptions, 'hasRoom'> = {
  ...{ threads: 1, spareThreads: INFERENCE_SPARE_THREADS, longMs: INFERENCE_LONG_MS },
};

/** Maximum number of cached inferences; the least recently used go first. */
const CACHED_MAX = 1000;

const NULL = 1 << CellType.NULL;
/** The types of a summary's columns: metric_id, dimensions, value. */
const SUMMARY_KINDS = [1 << CellType.STRING, 1 << CellType.STRING, (1 << CellType.FLOAT64) | NULL];

/** For each column the bit set of its possible cell types; undefined if they could not be inferred. */
type Kinds = number[] | undefined;

/** An inference that waits or runs, and the callers that wait for it. */
interface Inference {
  kinds: Promise<Kinds>;
  callers: number;
  /** Ends the inference. */
  abort: AbortController;
}

export interface PossibleKindsParts extends SpareThreadParts {
  /** Shares the threads that infer between users. */
  threads: ThreadPermits;
}

export class PossibleKinds {
  readonly #parts: PossibleKindsParts;
  /** Finished inferences by script. */
  readonly #cached = new Map<string, Kinds>();
  /** Unfinished ones by user and script: a user does not wait for the turn of another one. */
  readonly #running = new Map<string, Inference>();

  constructor(parts: PossibleKindsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves to the possible types, or to undefined if they cannot be inferred. When `signal` of every caller is
   * aborted, the inference ends.
   * @throws the signal's reason
   */
  async of(
    { sql, digest, isSummary }: ScriptFacts,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<Kinds> {
    if (isSummary) return SUMMARY_KINDS;
    if (this.#cached.has(digest)) return this.#recall(digest);
    signal.throwIfAborted();
    const key = JSON.stringify([turn.user, digest]);
    const inference = this.#running.get(key) ?? this.#begin(key, { sql, digest, turn });
    return waitFor(inference, signal);
  }

  /** Returns a remembered inference, and makes it the one that is forgotten last. */
  #recall(digest: string): Kinds {
    const kinds = this.#cached.get(digest);
    this.#cached.delete(digest);
    this.#cached.set(digest, kinds);
    return kinds;
  }

  #remember(digest: string, kinds: Kinds): void {
    this.#cached.set(digest, kinds);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > CACHED_MAX && oldest !== undefined) this.#cached.delete(oldest);
  }

  #begin(
    key: string,
    { sql, digest, turn }: { sql: Uint8Array; digest: string; turn: Turn },
  ): Inference {
    const abort = new AbortController();
    const forget = (): void => {
      if (this.#running.get(key) === inference) this.#running.delete(key);
    };
    const run = async (): Promise<Kinds> => {
      const thread = await this.#parts.threads.acquire(turn, abort.signal);
      try {
        const kinds = await this.#infer(sql, abort.signal);
        this.#remember(digest, kinds);
        return kinds;
      } finally {
        thread.release();
        forget();
      }
    };
    const inference: Inference = { kinds: run(), callers: 0, abort };
    inference.kinds.catch(() => undefined); // every caller has left
    abort.signal.addEventListener('abort', forget, { once: true });
    this.#running.set(key, inference);
    return inference;
  }

  /** Resolves when the thread has ended. @throws the signal's reason */
  async #infer(sql: Uint8Array, signal: AbortSignal): Promise<Kinds> {
    const reply = await askSpareThread(
      this.#parts,
      { type: 'possibleKinds', sql, memoryBytesMax: INFERENCE_BYTES_MAX },
      INFERENCE_MS_MAX,
      signal,
    );
    return reply?.type === 'possibleKinds' ? reply.kinds : undefined;
  }
}

/** Waits for an inference; the last caller to leave ends it. @throws the signal's reason */
async function waitFor(inference: Inference, signal: AbortSignal): Promise<Kinds> {
  inference.callers += 1;
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([inference.kinds, left]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
    inference.callers -= 1;
    if (inference.callers === 0) inference.abort.abort(signal.reason);
  }
}

/** Converts a trace's columns for the orchestrator; adds the possible types if a column has no value. */
export async function withPossibleKinds(
  columns: readonly ResultColumn[],
  possibleKinds: () => Promise<Kinds>,
): Promise<Column[]> {
  const unknown = columns.some(({ kinds }) => (kinds & ~NULL) === 0);
  const possible = unknown ? await possibleKinds() : undefined;
  return columns.map(({ name, kinds }, at) => ({
    name: Buffer.from(name),
    cellKinds: kinds,
    possibleKinds: possible?.length === columns.length ? (possible[at] ?? 0) : 0,
    learnedKinds: 0,
  }));
}
