/** Answers one script on one trace, from the cheapest place that has the answer. */
import { asBigtraceError } from '../common/errors.ts';
import type { TaskStats } from '../proto/messages.ts';
import type { TraceStat, TraceStores } from '../trace-store/index.ts';
import type { Counters } from './counters.ts';
import { withDeadline } from './deadline.ts';
import type { FairPermits } from './fair-permits.ts';
import { type AnswerLimits, checkResult, checkTraceBytes } from './limits.ts';
import type { Answered, OnResult } from './slot.ts';
import type { Lease, SlotPool } from './slot-pool.ts';
import type { ColumnFound } from './thread-protocol.ts';

export interface AnswerParts {
  stores: TraceStores;
  pool: SlotPool;
  /** One for each thread that may run. */
  permits: FairPermits;
  counters: Counters;
  /** Names the engine: what another has loaded is of no use to this one. */
  engineDigest: string;
}

export interface Question {
  /** Address of the trace. */
  trace: string;
  sql: Uint8Array;
  limits: AnswerLimits;
  /** Whose turn it takes: one query's traces share its turns. */
  asker: unknown;
  /** Called when work begins that is no longer given back. */
  onBegin(): void;
  onResult: OnResult;
}

export interface Answer {
  columns: ColumnFound[];
  stats: TaskStats;
}

/** @throws BigtraceError about the trace; the signal's reason. */
export async function answer(
  parts: AnswerParts,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { counters } = parts;
  try {
    const answered = await answerCold(parts, question, signal);
    counters.add('tasks_done');
    counters.add(`tier_${answered.stats.tier}`);
    counters.add('rows', answered.stats.rows);
    counters.add('trace_bytes', answered.stats.traceBytes);
    counters.add('query_ms', answered.stats.queryMs);
    return answered;
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    counters.add('tasks_failed');
    throw asBigtraceError(thrown).ofTrace(question.trace);
  }
}

async function answerCold(
  parts: AnswerParts,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { limits, trace } = question;
  const stat = await parts.stores.stat(trace, signal);
  if (stat.size !== undefined) checkTraceBytes(stat.size, limits);
  const release = await parts.permits.acquire(question.asker, signal);
  try {
    question.onBegin();
    return await withDeadline(signal, limits.traceTimeoutMs, 'this trace', (bounded) =>
      inSlot(parts, question, stat, bounded),
    );
  } finally {
    release();
  }
}

async function inSlot(
  parts: AnswerParts,
  question: Question,
  stat: TraceStat,
  signal: AbortSignal,
): Promise<Answer> {
  const key = `${question.trace}\0${stat.generation}\0${parts.engineDigest}`;
  const lease = await parts.pool.acquire(key, signal);
  try {
    const loaded = lease.resident
      ? { loadMs: 0, traceBytes: 0 }
      : await load(parts, lease, key, question, stat, signal);
    const { rows, columns, queryMs } = await ask(lease, question, signal);
    const tier = lease.resident ? 'resident' : 'parse';
    return { columns, stats: { ...loaded, rows, queryMs, tier } };
  } finally {
    lease.release();
  }
}

async function load(
  { stores, counters }: AnswerParts,
  lease: Lease,
  key: string,
  { trace, limits }: Question,
  { generation }: TraceStat,
  signal: AbortSignal,
): Promise<{ loadMs: number; traceBytes: number }> {
  const chunks = bounded(stores.read(trace, { generation, signal }), limits);
  const loaded = await lease.slot.load(key, chunks, limits.memoryBytesMax, signal);
  lease.loaded(loaded.loadMs);
  counters.add('parse_ms', loaded.loadMs);
  return loaded;
}

/** A store may not know a trace's size before it was read. */
async function* bounded(
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

function ask(lease: Lease, question: Question, signal: AbortSignal): Promise<Answered> {
  const { sql, limits, onResult } = question;
  let resultBytes = 0;
  return lease.slot.query(
    sql,
    {
      leavesMarks: true,
      memoryBytesMax: limits.memoryBytesMax,
      onResult: (bytes, rows, last) => {
        resultBytes += bytes.byteLength;
        checkResult(rows, resultBytes, limits);
        return onResult(bytes, rows, last);
      },
    },
    signal,
  );
}
