/** Produces the traces of a query: checks addresses, expands patterns and expressions, and removes duplicates. */

import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { ListedTrace } from '../../lib/proto/messages.ts';
import { type NamedAddress, namedAddress } from './named-address.ts';
import { type TraceDigest, TraceSet, traceDigest } from './trace-set.ts';

export interface FoundTrace {
  trace: Buffer;
  digest: TraceDigest;
  /** Undefined when the trace was not found by a listing. */
  listed?: Listed | undefined;
}

/** What a listing reported about a trace. */
export interface Listed {
  generation: string;
  /** Bytes of the trace. */
  size: number;
  /** When the listing began, in ms of performance.now(); the store was read at this time or later. */
  sinceMs: number;
}

/** Maximum number of traces in one batch. */
export const BATCH_TRACES = 1024;

export interface TraceSourceOptions {
  /** Addresses and patterns, in batches as the client sends them. */
  addresses: AsyncIterable<Buffer[]>;
  /** Lists the traces that match a pattern. */
  list: (pattern: Buffer) => AsyncIterable<Pick<ListedTrace, 'address' | 'generation' | 'size'>[]>;
  /** Returns the traces that an expression over the catalog selects. */
  select: (expression: string) => AsyncIterable<Buffer[]>;
  /** Returns the `/local` directories of the workers, which absolute paths may begin with. */
  localRoots: () => Promise<readonly string[]>;
  /** Called with a trace that the client named by another address than the canonical one. */
  onAlias?: ((trace: Buffer, addressCount: Buffer) => void) | undefined;
  /** Called with an address or pattern that stands for no trace; may throw to end the query. */
  onBad: (address: Buffer, error: BigtraceError) => void;
}

/** Yields batches of at most BATCH_TRACES. @throws no_traces when the client sent no address */
export async function* traceSource({
  addresses,
  list,
  select,
  localRoots,
  onAlias,
  onBad,
}: TraceSourceOptions): AsyncGenerator<FoundTrace[]> {
  const distinct = new TraceSet();
  let addressCount = 0;
  let batch: FoundTrace[] = [];
  const add = (trace: Buffer, listed?: Listed): void => {
    const digest = traceDigest(trace);
    if (distinct.add(digest)) batch.push({ trace, digest, listed });
  };
  const take = (): FoundTrace[] => {
    const full = batch;
    batch = [];
    return full;
  };
  for await (const sent of addresses) {
    for (const address of sent) {
      addressCount += 1;
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
  if (addressCount === 0) throw new BigtraceError('no_traces', 'the query names no traces');
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
    yield traces.map(({ address: trace, generation, size }) => ({
      ...{ trace, listed: { generation, size, sinceMs } },
    }));
  }
  if (!matched) throw noMatch(pattern);
}

export function noMatch(pattern: Buffer): BigtraceError {
  return new BigtraceError('no_match', 'the pattern matches no trace', {
    trace: printable(textFromBytes(pattern)),
  });
}
