/**
 * Infers the cell types that a script's columns may have on any trace; needed if a trace has no value in a
 * column. The inference (lib/engine/inference) runs in an additional engine thread without a trace, and its
 * result is cached by script.
 */
import { Worker } from 'node:worker_threads';
import type { Engine } from '../../lib/engine/index.ts';
import type { Column } from '../../lib/proto/messages.ts';
import { CellType } from '../../lib/query-result/index.ts';
import {
  GATE_BYTES,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
} from '../engines/thread-protocol.ts';
import type { ResultColumn } from './columns.ts';
import type { ScriptFacts } from './script.ts';

/** Time limit of an inference; a script that takes longer has no inferred types. */
const INFERENCE_MS_MAX = 30_000;
/** Maximum memory of the engine that infers. */
const INFERENCE_BYTES_MAX = 512 * 2 ** 20;

/** Maximum number of cached inferences; the least recently used go first. */
const REMEMBERED_MAX = 1000;

const NULL = 1 << CellType.NULL;
/** The types of a summary's columns: metric_id, dimensions, value. */
const SUMMARY_KINDS = [1 << CellType.STRING, 1 << CellType.STRING, (1 << CellType.FLOAT64) | NULL];

/** For each column the bit set of its possible cell types; undefined if they could not be inferred. */
type Kinds = number[] | undefined;

export class PossibleKinds {
  readonly #engine: Engine;
  readonly #threadEntry: URL;
  readonly #remembered = new Map<string, Promise<Kinds>>();
  /** Settles when the last inference has ended; there is one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, threadEntry: URL) {
    this.#engine = engine;
    this.#threadEntry = threadEntry;
  }

  /** Resolves to the possible types, or to undefined if they cannot be inferred; never rejects. */
  of({ sql, digest, isSummary }: ScriptFacts): Promise<Kinds> {
    if (isSummary) return Promise.resolve(SUMMARY_KINDS);
    const kinds = this.#remembered.get(digest) ?? this.#begin(sql);
    this.#remembered.delete(digest);
    this.#remembered.set(digest, kinds);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_MAX && oldest !== undefined)
      this.#remembered.delete(oldest);
    return kinds;
  }

  #begin(sql: Uint8Array): Promise<Kinds> {
    const kinds = this.#last.then(() => this.#infer(sql));
    this.#last = kinds;
    return kinds;
  }

  #infer(sql: Uint8Array): Promise<Kinds> {
    const data: ThreadData = { engine: this.#engine, gate: new SharedArrayBuffer(GATE_BYTES) };
    const thread = new Worker(this.#threadEntry, { workerData: data });
    thread.unref();
    return new Promise((resolve) => {
      const end = (kinds?: Kinds): void => {
        clearTimeout(timer);
        resolve(kinds);
        void thread.terminate();
      };
      const timer = setTimeout(end, INFERENCE_MS_MAX);
      thread.once('message', (reply: ThreadReply) =>
        end(reply.type === 'possibleKinds' ? reply.kinds : undefined),
      );
      thread.on('error', () => end());
      thread.once('exit', () => end());
      const request: ThreadRequest = {
        type: 'possibleKinds',
        sql,
        memoryBytesMax: INFERENCE_BYTES_MAX,
      };
      thread.postMessage(request);
    });
  }
}

/** Converts a trace's columns for the orchestrator; adds the possible types if a column has no value. */
export async function withPossibleKinds(
  columns: readonly ResultColumn[],
  script: ScriptFacts,
  possibleKinds: PossibleKinds,
): Promise<Column[]> {
  const unknown = columns.some(({ kinds }) => (kinds & ~NULL) === 0);
  const possible = unknown ? await possibleKinds.of(script) : undefined;
  return columns.map(({ name, kinds }, at) => ({
    name: Buffer.from(name),
    cellKinds: kinds,
    possibleKinds: possible?.length === columns.length ? (possible[at] ?? 0) : 0,
    learnedKinds: 0,
  }));
}
