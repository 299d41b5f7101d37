/** The traces of a query, as a stream: addresses checked, patterns and expressions expanded, each trace once. */

import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { ListedTrace } from '../../lib/proto/messages.ts';
import { type NamedAddress, namedAddress } from './named-address.ts';
import { type TraceDigest, TraceSet, traceDigest } from './trace-set.ts';

export interface FoundTrace {
  trace: Buffer;
  digest: TraceDigest;
  /** Absent: the query names the trace, and nobody has looked at it yet. */
  listed?: Listed | undefined;
}

/** What a listing said of a trace. */
export interface Listed {
  generation: string;
  /** When the listing began, so no later than it looked; milliseconds of performance.now(). */
  sinceMs: number;
}

/** As many traces are handed over at a time. */
export const BATCH_TRACES = 1024;

export interface TraceSourceOptions {
  /** What the client sends: addresses and patterns. */
  addresses: AsyncIterable<Buffer[]>;
  /** The traces that match a pattern. */
  list: (pattern: Buffer) => AsyncIterable<Pick<ListedTrace, 'address' | 'generation'>[]>;
  /** The traces that an expression over the catalog selects. */
  select: (expression: string) => AsyncIterable<Buffer[]>;
  /** Directories that absolute paths of `/local` may begin with. */
  localRoots: () => Promise<readonly string[]>;
  /** Told of a trace that the client calls by another name than its canonical address. */
  onAlias?: ((trace: Buffer, asked: Buffer) => void) | undefined;
  /** An address or pattern that stands for no trace; throws to end the query. */
  onBad: (address: Buffer, error: BigtraceError) => void;
}

/** Batches of at most BATCH_TRACES; @throws no_traces where the client sent not one address */
export async function* traceSource({
  addresses,
  list,
  select,
  localRoots,
  onAlias,
  onBad,
}: TraceSourceOptions): AsyncGenerator<FoundTrace[]> {
  const seen = new TraceSet();
  let asked = 0;
  let batch: FoundTrace[] = [];
  const add = (trace: Buffer, listed?: Listed): void => {
    const digest = traceDigest(trace);
    if (seen.add(digest)) batch.push({ trace, digest, listed });
  };
  const take = (): FoundTrace[] => {
    const full = batch;
    batch = [];
    return full;
  };
  for await (const sent of addresses) {
    for (const address of sent) {
      asked += 1;
      try {
        const named = await namedAddress(address, localRoots);
        const isOne = named.kind === 'trace' || (named.kind === 'listed' && !named.isPattern);
        for await (const traces of foundBy(named, list, select)) {
          for (const { trace, listed } of traces) {
            if (isOne && !trace.equals(address)) onAlias?.(trace, address);
            add(trace, listed);
            if (batch.length >= BATCH_TRACES) yield take();
          }
        }
      } catch (error) {
        onBad(address, asBigtraceError(error));
      }
      if (batch.length >= BATCH_TRACES) yield take();
    }
    if (batch.length > 0) yield take();
  }
  if (asked === 0) throw new BigtraceError('no_traces', 'query names no traces');
}

type Found = Omit<FoundTrace, 'digest'>;

async function* foundBy(
  named: NamedAddress,
  list: TraceSourceOptions['list'],
  select: TraceSourceOptions['select'],
): AsyncGenerator<Found[]> {
  if (named.kind === 'trace') yield [{ trace: named.address }];
  else if (named.kind === 'selection') yield* selectedBy(named.path, select);
  else yield* listedOf(named.address, list);
}

async function* selectedBy(
  expression: string,
  select: TraceSourceOptions['select'],
): AsyncGenerator<Found[]> {
  for await (const traces of select(expression)) yield traces.map((trace) => ({ trace }));
}

async function* listedOf(
  pattern: Buffer,
  list: TraceSourceOptions['list'],
): AsyncGenerator<Found[]> {
  const sinceMs = performance.now();
  let matched = false;
  for await (const traces of list(pattern)) {
    matched ||= traces.length > 0;
    yield traces.map(({ address: trace, generation }) => ({
      ...{ trace, listed: { generation, sinceMs } },
    }));
  }
  if (!matched) throw noMatch(pattern);
}

export function noMatch(pattern: Buffer): BigtraceError {
  return new BigtraceError('no_match', 'pattern matches no trace', {
    trace: printable(textFromBytes(pattern)),
  });
}
