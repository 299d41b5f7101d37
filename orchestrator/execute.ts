/** A query from its list of addresses to its end: source, run, time limit, cancellation. */
import { BigtraceError } from '../common/errors.ts';
import type { QueryGround } from './dispatch.ts';
import { listTraces } from './list.ts';
import { QueryRun, type QuerySpec, type Sink } from './query-run.ts';
import type { Tally } from './tally.ts';
import { traceSource } from './trace-source.ts';

export interface Execution {
  /** Addresses and patterns, as the client sends them. */
  addresses: AsyncIterable<Buffer[]>;
  sink: Sink;
  /** Its reason becomes the query's error. */
  signal: AbortSignal;
  /** Told of the query's counts as soon as there are any. */
  onStart?: (tally: Tally) => void;
}

/** @throws the error that ended the query, when that was not the end of its traces */
export async function execute(
  spec: QuerySpec,
  ground: QueryGround,
  { addresses, sink, signal, onStart }: Execution,
): Promise<void> {
  const { fleet, workerWaitMs } = ground;
  const run = new QueryRun(spec, ground, sink);
  onStart?.(run.tally);
  const ended = new AbortController();
  const abort = (): void => run.fail(signal.reason);
  const timer = setTimeout(() => run.fail(overdue(spec, run.tally)), spec.limits.timeoutMs);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const source = traceSource({
    addresses,
    list: (pattern) => addressesOf(pattern, { fleet, workerWaitMs, signal: ended.signal }),
    onBad: (address, error) => run.refuse(address, error),
  });
  try {
    await run.run(source);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    ended.abort();
  }
}

async function* addressesOf(
  pattern: Buffer,
  options: Parameters<typeof listTraces>[1],
): AsyncGenerator<Buffer[]> {
  for await (const listed of listTraces({ pattern: [pattern], limit: 0 }, options))
    yield listed.map(({ address }) => address);
}

function overdue({ limits }: QuerySpec, { tracesDone, tracesTotal }: Tally): BigtraceError {
  return new BigtraceError(
    'deadline_exceeded',
    `query took longer than its limit of ${limits.timeoutMs} ms (${tracesDone} of ${tracesTotal} traces had answered)`,
  );
}
