/** The bytes of a trace, from whichever worker reaches its store. */
import { isPattern } from '../../lib/common/addresses/address.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText, printable } from '../../lib/common/text/byte-text.ts';
import { type AnyWorkerOptions, fromAnyWorker } from './any-worker.ts';
import { listTraces } from './list-traces.ts';
import type { WorkerClient } from './worker-client.ts';

export interface OpenTrace {
  /** Bytes; 0 where the store does not say, or there are none. */
  size: number;
  generation: string;
  /** @param length 0: up to the end */
  read(offset: number, length: number): AsyncGenerator<Buffer>;
}

/** @throws trace_not_found where the address is not that of one trace: a pattern must be its name to the letter */
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

/** Goes on where the worker stopped that was lost. */
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
    if (length > 0 && sent >= length) return; // a worker that is lost now has nothing more to give
  }
}
