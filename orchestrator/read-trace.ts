/** The bytes of a trace, from whichever worker reaches its store. */
import { bytesFromText, printable } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import { fromServiceError } from '../common/grpc-errors.ts';
import type { FleetWorker } from './fleet.ts';
import { type ListOptions, listTraces } from './list.ts';
import { verdictOn } from './retry.ts';

export interface OpenTrace {
  /** Bytes; 0 where the store does not say, or there are none. */
  size: number;
  generation: string;
  /** @param length 0: up to the end */
  read(offset: number, length: number): AsyncGenerator<Buffer>;
}

/** @throws trace_not_found where the address is not that of one trace, to the letter */
export async function openTrace(address: string, options: ListOptions): Promise<OpenTrace> {
  const bytes = bytesFromText(address);
  for await (const traces of listTraces({ pattern: [bytes], limit: 1 }, options)) {
    const found = traces.find((trace) => bytes.equals(trace.address));
    if (found === undefined) continue;
    const { size, generation } = found;
    const asked = { address: bytes, generation };
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

/** Goes on with another worker where the first one is lost. */
async function* readTrace(
  asked: { address: Buffer; generation: string },
  offset: number,
  length: number,
  { fleet, workerWaitMs, signal }: ListOptions,
): AsyncGenerator<Buffer> {
  const tried = new Set<FleetWorker>();
  let sent = 0;
  for (let attempts = 1; length === 0 || sent < length; attempts++) {
    const usable = await fleet.waitUsable(workerWaitMs, signal);
    const worker = usable.find((one) => !tried.has(one)) ?? usable[0];
    if (worker === undefined) throw fleet.noWorkers();
    tried.add(worker);
    const left = length === 0 ? 0 : length - sent;
    const call = worker.client.readTrace({ ...asked, offset: offset + sent, length: left });
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    try {
      for await (const { data } of call) {
        sent += data.length;
        yield data;
      }
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = fromServiceError(thrown, 'worker_lost');
      if (error.code === 'worker_lost') fleet.suspect(worker, error.detail);
      const othersLeft = fleet.usable.some((one) => !tried.has(one));
      const verdict = verdictOn(error, { attempts, crashes: 0, othersLeft });
      if (verdict.next === 'fail') throw verdict.error;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }
}
