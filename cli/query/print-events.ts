/** Prints the events of a query as they arrive. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText, printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { Progress, QueryEvent, TraceFailure, TraceRows } from '../../lib/proto/messages.ts';
import { RowDecoder } from '../../lib/query-result/index.ts';
import type { Format } from './format.ts';

export interface Printing {
  format: Format;
  print(bytes: Buffer): Promise<void>;
  onProgress(progress: Progress): void;
  onFailure(failure: TraceFailure): void;
}

/** @throws BigtraceError that ended the query, or columns_mismatch */
export async function printEvents(
  events: AsyncIterable<QueryEvent>,
  { format, print, onProgress, onFailure }: Printing,
): Promise<void> {
  const printer = new Printer(format);
  for await (const { rows, failure, progress } of events) {
    if (rows) await print(printer.rows(rows));
    else if (progress) onProgress(progress);
    else if (failure) onFailure(failure);
  }
  await print(printer.end());
}

/** Decodes interleaved rows of many traces. All traces must have the same columns. */
class Printer {
  readonly #format: Format;
  readonly #open = new Map<string, RowDecoder>();
  #columns: string[] | undefined;

  constructor(format: Format) {
    this.#format = format;
  }

  rows({ trace, result, last }: TraceRows): Buffer {
    const address = textFromBytes(trace);
    const decoder = this.#open.get(address) ?? new RowDecoder();
    const rows = decoder.rows(result);
    if (last) this.#open.delete(address);
    else this.#open.set(address, decoder);
    if (decoder.columnNames.length === 0) return Buffer.alloc(0); // the script returned no result
    const head = this.#checkColumns(address, decoder.columnNames);
    const body = this.#format.rows(rows.map((row) => [address, ...row]));
    return head === undefined ? body : Buffer.concat([head, body]);
  }

  end(): Buffer {
    const end = this.#format.end();
    return this.#columns === undefined
      ? Buffer.concat([this.#format.begin(['_trace_address']), end])
      : end;
  }

  #checkColumns(trace: string, columns: string[]): Buffer | undefined {
    if (this.#columns === undefined) {
      this.#columns = columns;
      return this.#format.begin(['_trace_address', ...columns]);
    }
    if (this.#columns.join('\0') === columns.join('\0')) return undefined;
    const [ours, others] = [columns, this.#columns].map((names) => printable(names.join(', ')));
    throw new BigtraceError('columns_mismatch', `its columns are ${ours}, not ${others}`, {
      trace,
    });
  }
}

/** Yields the lines of `input` in batches, without empty lines. */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest = Buffer.alloc(0);
  for await (const chunk of input) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    rest = bytes.subarray(end);
    const lines = splitLines(bytes.subarray(0, end));
    if (lines.length > 0) yield lines;
  }
  const last = splitLines(rest);
  if (last.length > 0) yield last;
}

function splitLines(bytes: Buffer): Buffer[] {
  return textFromBytes(bytes)
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
    .filter((line) => line !== '')
    .map(bytesFromText);
}
