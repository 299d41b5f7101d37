/** Reads the bytes of a trace through a worker. */
import { isPattern } from '../../lib/common/addresses/address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText, printable } from '../../lib/common/text/byte-text.ts';
import { type AnyWorkerOptions, fromAnyWorker } from './any-worker.ts';
import { listTraces } from './list-traces.ts';
import type { WorkerClient } from './worker-client.ts';

export interface OpenTrace {
  /** Bytes; 0 when the trace is empty or the store does not report its size. */
  size: number;
  generation: string;
  /** Yields the bytes from `offset`. @param length in bytes; 0: up to the end */
  read(offset: number, length: number): AsyncGenerator<Buffer>;
}

/**
 * Looks a trace up. An address with glob characters must equal the address of a trace byte for byte.
 * @throws trace_not_found
 */
export async function openTrace(address: string, options: AnyWorkerOptions): Promise<OpenTrace> {
  const bytes = bytesFromText(address);
  const mayBeOther = !isPattern(address);
  for await (const traces of listTraces({ pattern: [bytes], limit: 1 }, options)) {
    const found = traces.find((trace) => mayBeOther || bytes.equals(trace.address));
    if (found === undefined) continue;
    const { size, generation } = found;
    const asked = { address: found.address, generation };
    return {
      size,
      generation,
      read: (offset, length) => readTrace(asked, offset, length, options),
    };
  }
  throw new BigtraceError('trace_not_found', 'there is no such trace', {
    trace: printable(address),
  });
}

/** Reads the trace; when a worker is lost, the next one continues at the same offset. */
async function* readTrace(
  asked: { address: Buffer; generation: string },
  offset: number,
  length: number,
  options: AnyWorkerOptions,
): AsyncGenerator<Buffer> {
  let sent = 0;
  const begin = (client: WorkerClient) =>
    client.readTrace({
      ...asked,
      offset: offset + sent,
      length: length === 0 ? 0 : length - sent,
    });
  for await (const { data } of fromAnyWorker(begin, options)) {
    sent += data.length;
    yield data;
    if (length > 0 && sent >= length) return; // complete: an error of the worker no longer matters
  }
}
