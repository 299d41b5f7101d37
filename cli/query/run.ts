/** Asks an orchestrator and prints what it answers, as it comes. */
import { once } from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import { bytesFromText, printable, textFromBytes } from '../../common/byte-text.ts';
import { BigtraceError } from '../../common/errors.ts';
import { fromServiceError } from '../../common/grpc-errors.ts';
import type {
  Progress,
  QueryRequest,
  QueryResponse,
  QueryStart,
  TraceFailure,
  TraceRows,
} from '../../proto/messages.ts';
import { RowDecoder } from '../../query-result/index.ts';
import type { Format } from './formats.ts';

export interface QueryRun {
  call: grpc.ClientDuplexStream<QueryRequest, QueryResponse>;
  start: QueryStart;
  /** Addresses and patterns, as bytes, in batches. */
  traces: AsyncIterable<Buffer[]>;
  format: Format;
  print(bytes: Buffer): Promise<void>;
  onProgress(progress: Progress): void;
  onFailure(failure: TraceFailure): void;
  signal: AbortSignal;
}

/** Resolves to the number of traces that failed, which only a lenient query outlives. */
export async function runQuery(run: QueryRun): Promise<number> {
  const { call, signal } = run;
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  // Reading fails with the same reason as writing does, and says it better.
  let unread: Error | undefined;
  const sending = send(run).catch((error: Error) => {
    unread = error;
    call.cancel();
  });
  try {
    const failed = await receive(run);
    await sending;
    return failed;
  } catch (thrown) {
    if (signal.aborted) throw new BigtraceError('cancelled', 'the query was cancelled');
    throw unread ?? fromServiceError(thrown, 'orchestrator_unreachable');
  } finally {
    signal.removeEventListener('abort', cancel);
    call.cancel();
  }
}

async function send({ call, start, traces }: QueryRun): Promise<void> {
  call.write({ start });
  for await (const address of traces) {
    if (call.destroyed) return;
    if (!call.write({ traces: { address } }))
      await Promise.race([once(call, 'drain'), ended(call)]);
  }
  call.end();
}

/** A call that fails says so by an event; nothing drains after it. */
function ended(call: grpc.ClientDuplexStream<QueryRequest, QueryResponse>): Promise<void> {
  return new Promise((resolve) => call.once('close', resolve));
}

async function receive(run: QueryRun): Promise<number> {
  const printer = new Printer(run.format);
  let failed = 0;
  for await (const response of run.call as AsyncIterable<QueryResponse>) {
    for (const { rows, failure, progress } of response.event) {
      if (rows) await run.print(printer.rows(rows));
      else if (progress) run.onProgress(progress);
      else if (failure) {
        failed++;
        run.onFailure(failure);
      }
    }
  }
  await run.print(printer.end());
  return failed;
}

/** Decodes the rows of many traces at once; all of them must have the same columns. */
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
    if (decoder.columnNames.length === 0) return Buffer.alloc(0); // a script without a result
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

/** Lines of `input` in batches; empty lines are none. */
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
