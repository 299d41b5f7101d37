/** The beginning of a trace, kept while it is loaded: the error of a failed load says what the file looks like. */
import { BigtraceError } from '../common/errors.ts';
import { describeFirstBytes, describeText, FIRST_BYTES_MAX } from './first-bytes.ts';

export class TraceBeginning {
  /** Up to FIRST_BYTES_MAX. */
  #bytes: Buffer[] = [];
  #length = 0;

  /** Copies the beginning of the trace, because the caller may reuse the chunk's memory. */
  keep(chunk: Uint8Array): void {
    const room = FIRST_BYTES_MAX - this.#length;
    if (room <= 0) return;
    const copy = Buffer.from(chunk.subarray(0, room));
    this.#bytes.push(copy);
    this.#length += copy.length;
  }

  forget(): void {
    this.#bytes = [];
    this.#length = 0;
  }

  /** Returns the error of a load that TraceProcessor ended with `message`. */
  failure(message: string): BigtraceError {
    const head = Buffer.concat(this.#bytes);
    const isUnknown = message.includes('Unknown trace type');
    const what = describeFirstBytes(head) ?? (isUnknown ? describeText(head) : undefined);
    return new BigtraceError(
      'trace_invalid',
      what === undefined ? message : `${message} (${what})`,
    );
  }
}
