/** Answers one script on one trace, from the cheapest place that has the answer. */
import { asBigtraceError } from '../common/errors.ts';
import type { TaskStats } from '../proto/messages.ts';
import type { TraceStat, TraceStores } from '../trace-store/index.ts';
import { type ColumnFound, columnsOf } from './columns.ts';
import type { Counters } from './counters.ts';
import { withDeadline } from './deadline.ts';
import type { FairPermits, Release } from './fair-permits.ts';
import type { ImageCache } from './image-cache.ts';
import type { ImageKeeper } from './image-keeper.ts';
import { type AnswerLimits, checkResult, checkTraceBytes } from './limits.ts';
import { ReadAhead } from './read-ahead.ts';
import type { ResultDisk } from './result-disk.ts';
import type { Remembered, ResultMemory } from './result-memory.ts';
import type { ScriptFacts } from './script.ts';
import type { OnResult } from './slot.ts';
import type { Lease, LoadedFrom, Patience, SlotPool } from './slot-pool.ts';

export interface AnswerParts {
  stores: TraceStores;
  pool: SlotPool;
  results: ResultMemory;
  resultDisk: ResultDisk;
  images: ImageCache;
  keeper: ImageKeeper;
  /** One for each thread that may run. */
  permits: FairPermits;
  /** One for each store that is asked about a trace. */
  lookups: FairPermits;
  /** One for each trace that is read before a thread is free for it. */
  reads: FairPermits;
  counters: Counters;
  /** Names the engine: what another has loaded is of no use to this one. */
  engineIdentity: string;
}

export interface Question {
  /** Address of the trace. */
  trace: string;
  /** Of the trace, as its asker has just seen it; empty: it has not. */
  generation: string;
  script: ScriptFacts;
  limits: AnswerLimits;
  /** Whether the kinds of the columns are asked for. */
  wantsKinds: boolean;
  /** Whose turn it takes: one query's traces share its turns. */
  asker: unknown;
  /** Called when work begins that is no longer given back; how long it waited for its turn. */
  onBegin(waitedMs: number): void;
  onResult: OnResult;
}

export interface Answer {
  /** Where kinds were wanted. */
  columns: readonly ColumnFound[] | undefined;
  stats: TaskStats;
}

interface Keys {
  /** Of the trace, its generation, and the engine. */
  key: string;
  /** Of the script's answer on it. */
  resultKey: string;
  /** The trace's size, where it is known. */
  traceBytes: number | undefined;
}

/** How much of a trace is held before a thread is free for it. */
const READ_AHEAD_BYTES = 2 ** 20;

/** @throws BigtraceError about the trace; the signal's reason. */
export async function answer(
  parts: AnswerParts,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { counters } = parts;
  try {
    const answered = await new Answering(parts, question, signal).run();
    const { tier, rows, traceBytes, queryMs } = answered.stats;
    counters.add('tasks_done');
    counters.add(`tier_${tier}`);
    counters.add('rows', rows);
    counters.add('trace_bytes', traceBytes);
    counters.add('query_ms', queryMs);
    return answered;
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    counters.add('tasks_failed');
    throw asBigtraceError(thrown).ofTrace(question.trace);
  }
}

/** One answer in the making. */
class Answering {
  readonly #parts: AnswerParts;
  readonly #question: Question;
  readonly #signal: AbortSignal;
  #readAhead: ReadAhead | undefined;

  constructor(parts: AnswerParts, question: Question, signal: AbortSignal) {
    this.#parts = parts;
    this.#question = question;
    this.#signal = signal;
  }

  async run(): Promise<Answer> {
    const { script, limits, generation } = this.#question;
    if (generation !== '') {
      const seen = await this.#remembered(this.#keys({ generation, size: undefined }));
      if (seen !== undefined) return this.#repeat(seen);
    }
    const stat = await this.#stat();
    if (stat.size !== undefined) checkTraceBytes(stat.size, limits);
    const keys = this.#keys(stat);
    const remembered = await this.#remembered(keys);
    if (remembered !== undefined) return this.#repeat(remembered);
    if (script.deterministic) this.#parts.counters.add('result_misses');
    try {
      return await this.#compute(stat, keys);
    } finally {
      this.#readAhead?.close();
    }
  }

  #keys({ generation, size: traceBytes }: Pick<TraceStat, 'generation' | 'size'>): Keys {
    const { trace, script } = this.#question;
    const key = `${trace}\0${generation}\0${this.#parts.engineIdentity}`;
    return { key, resultKey: `${key}\0${script.digest}`, traceBytes };
  }

  async #remembered({ resultKey }: Keys): Promise<Remembered | undefined> {
    const { results, resultDisk, counters } = this.#parts;
    const { script, asker } = this.#question;
    if (!script.deterministic) return undefined;
    const held = results.get(resultKey);
    if (held !== undefined) {
      counters.add('results_from_memory');
      resultDisk.used(resultKey);
      return held;
    }
    const kept = await resultDisk.read(resultKey, asker, this.#signal);
    if (kept === undefined) return undefined;
    counters.add('results_from_disk');
    results.put(resultKey, kept);
    return kept;
  }

  async #stat(): Promise<TraceStat> {
    const { lookups, stores } = this.#parts;
    const release = await lookups.acquire(this.#question.asker, this.#signal);
    try {
      return await stores.stat(this.#question.trace, this.#signal);
    } finally {
      release();
    }
  }

  async #repeat(remembered: Remembered): Promise<Answer> {
    const { results, resultBytes, rows, traceBytes } = remembered;
    const { limits, wantsKinds, onBegin, onResult } = this.#question;
    if (traceBytes !== undefined) checkTraceBytes(traceBytes, limits);
    checkResult(rows, resultBytes, limits);
    onBegin(0);
    this.#parts.counters.add('result_bytes', resultBytes);
    for (const [index, result] of results.entries()) {
      await onResult(result, rows, index === results.length - 1);
      this.#signal.throwIfAborted();
    }
    if (wantsKinds) remembered.columns ??= await columnsOf(results);
    const { columns } = remembered;
    return { columns, stats: { rows, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'result' } };
  }

  async #compute(stat: TraceStat, keys: Keys): Promise<Answer> {
    const { pool } = this.#parts;
    const { key } = keys;
    const { sensesHistory } = this.#question.script;
    const patience: Patience = {};
    let waitedMs = 0;
    for (;;) {
      // What senses history would see, in a loaded trace or its image, that others were there before.
      const seen = sensesHistory ? 'none' : await pool.look(key, patience, this.#signal);
      if (seen === 'none') await this.#beginToRead(stat, key);
      const from = performance.now();
      const release = await this.#parts.permits.acquire(this.#question.asker, this.#signal);
      waitedMs += performance.now() - from;
      const lease = sensesHistory ? pool.fresh(key) : pool.take(key, seen === 'busy');
      if (lease !== undefined) {
        this.#question.onBegin(waitedMs);
        return this.#inTurn(lease, release, stat, keys);
      }
      release(); // meanwhile another asks or loads it
    }
  }

  /** Reads a trace that will have to be parsed, while others have their turn. */
  async #beginToRead({ generation }: TraceStat, key: string): Promise<void> {
    const { reads, stores } = this.#parts;
    if (this.#readAhead !== undefined || this.#mayRestore(key)) return;
    const release = await reads.acquire(this.#question.asker, this.#signal);
    const chunks = stores.read(this.#question.trace, { generation, signal: this.#signal });
    this.#readAhead = new ReadAhead(chunks, READ_AHEAD_BYTES);
    void this.#readAhead.done.then(release);
  }

  #mayRestore(key: string): boolean {
    return !this.#question.script.sensesHistory && this.#parts.images.has(key);
  }

  async #inTurn(lease: Lease, release: Release, stat: TraceStat, keys: Keys): Promise<Answer> {
    try {
      const { traceTimeoutMs } = this.#question.limits;
      return await withDeadline(this.#signal, traceTimeoutMs, 'this trace', async (signal) => {
        if (lease.hasTrace) return this.#ask(lease, RESIDENT, keys, signal);
        const loaded = await this.#load(lease, keys.key, stat, signal);
        lease.loaded(loaded);
        return this.#ask(lease, loaded, keys, signal);
      });
    } finally {
      // Marks are taken back in this turn, but the answer need not wait for that.
      void lease.release().then(() => {
        release();
        this.#parts.keeper.poke();
      });
    }
  }

  async #load(
    lease: Lease,
    key: string,
    { generation }: TraceStat,
    signal: AbortSignal,
  ): Promise<LoadedFrom> {
    const { stores, images, counters } = this.#parts;
    const { trace, limits } = this.#question;
    const { slot } = lease;
    const restored = this.#mayRestore(key)
      ? await images.restore(key, (path) => slot.restore(key, path, limits.memoryBytesMax, signal))
      : undefined;
    signal.throwIfAborted();
    if (restored !== undefined) return { ...restored, tier: 'image' };
    const chunks = this.#readAhead ?? stores.read(trace, { generation, signal });
    const bounded = withinBytes(chunks, limits);
    const loaded = await slot.load(key, bounded, limits.memoryBytesMax, signal);
    counters.add('parse_ms', loaded.loadMs);
    return { ...loaded, tier: 'parse' };
  }

  async #ask(
    lease: Lease,
    loaded: LoadedFrom,
    { key, resultKey, traceBytes }: Keys,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { results, resultDisk, counters } = this.#parts;
    const { script, limits, wantsKinds, onResult } = this.#question;
    const { sql, isSummary, leavesMarks } = script;
    const recorder = results.recorder();
    let resultBytes = 0;
    const { rows, columns, queryMs } = await lease.slot.query(
      {
        key,
        sql,
        isSummary,
        leavesMarks,
        wantsKinds,
        memoryBytesMax: limits.memoryBytesMax,
        onResult: (result, rowsSoFar, last) => {
          resultBytes += result.byteLength;
          counters.add('result_bytes', result.byteLength);
          checkResult(rowsSoFar, resultBytes, limits);
          recorder.add(result);
          return onResult(result, rowsSoFar, last);
        },
      },
      signal,
    );
    if (script.deterministic && recorder.results !== undefined) {
      const answer = { results: recorder.results, resultBytes, rows, columns, traceBytes };
      results.put(resultKey, answer);
      resultDisk.put(resultKey, answer);
    }
    return { columns, stats: { ...loaded, rows, queryMs } };
  }
}

const RESIDENT: LoadedFrom = { loadMs: 0, traceBytes: 0, tier: 'resident' };

/** A store may not know a trace's size before it was read. */
async function* withinBytes(
  chunks: AsyncIterable<Uint8Array>,
  limits: AnswerLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    checkTraceBytes(bytes, limits);
    yield chunk;
  }
}
