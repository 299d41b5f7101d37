/** `bigtrace query`: reads one request, and writes the rows as they arrive. */
import type { Readable, Writable } from 'node:stream';
import { addressesDigest } from '../../lib/common/addresses/addresses-digest.ts';
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import { FailureReasons } from '../../lib/common/failure-reasons.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { RowWriter } from '../cells/row-writer.ts';
import { Table, TraceRows } from '../cells/trace-rows.ts';
import { withRemedy } from '../columns/remedy.ts';
import { parseStructure, type TableColumn } from '../columns/structure.ts';
import { TypeMismatch } from '../columns/type-mismatch.ts';
import type { BridgeClient, QueryCall } from '../grpc/bridge-client.ts';
import {
  decodeQueryResponse,
  encodeStart,
  encodeTraces,
  type FailureEvent,
  type RowsEvent,
} from '../grpc/messages.ts';
import { stringsOfBlocks } from '../native/input.ts';
import { NativeRows } from '../native/rows.ts';
import { Output } from '../output.ts';
import {
  type QueryInput,
  queryInput,
  REQUEST_BYTES_MAX,
  rowOfNative,
  rowOfTsv,
} from '../request/request.ts';
import { checkArguments } from '../request/view-arguments.ts';
import { END_MARK, untilEndMark } from '../tsv/end-mark.ts';
import { linesOf, unescaped } from '../tsv/input.ts';
import { TsvRows } from '../tsv/rows.ts';
import { withRetries } from './retry.ts';

/**
 * A heartbeat is written if there was no output for this long. ClickHouse notices a cancelled query only when it reads
 * something (docs/ARCHITECTURE.md).
 */
export const HEARTBEAT_MS = 200;

const TRACES_PER_MESSAGE = 1000;

/** Bound of the messages that gRPC has not sent yet; above it, no further addresses are read. */
const UNSENT_BYTES_MAX = 128 * 2 ** 20;

const ADDRESS_BYTES_MAX = 64 * 1024;

/** Timeout of Learn, which delays the error of the query. */
const LEARN_MS_MAX = 2000;

/** Names of views without column finding. */
const NAMES_COLUMNS = /(_as|_summary)$/;

/** Formats of the request and of the rows. CustomSeparated is TSV with an end mark. */
export const ROW_FORMATS = ['TSV', 'CustomSeparated', 'Native'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

export interface QueryStreams extends QueryOutput {
  stdin: Readable;
  /** More trace addresses, one per row (--traces-fd). */
  traces: Readable | undefined;
  format: RowFormat;
}

export interface QueryOutput {
  stdout: Writable;
  /** Whether the query may run again on another orchestrator if its own is lost. */
  mayRepeat: boolean;
  /** Called when the start message has been sent, so that the connection exists. */
  onReached?: () => void;
  /** Name of the view that was queried; undefined if the client calls executable() itself. */
  view: string | undefined;
}

/** Resolves when all rows are written. @throws BigtraceError, or the error of writing to stdout */
export async function runQuery(
  client: BridgeClient,
  { stdin, traces, format, ...output }: QueryStreams,
): Promise<void> {
  const input = await readInput(stdin, format, traces !== undefined);
  await writeRows(client, input, {
    ...output,
    more: traces === undefined ? undefined : addressesOf(traces, format),
    writerOf: (columns, buffer) => rowWriter(format, columns, buffer),
    heartbeatBelow: 1,
  });
}

export interface RowsOutput extends QueryOutput {
  /** More trace addresses. */
  more: AsyncIterable<Buffer[]> | undefined;
  writerOf: (columns: readonly TableColumn[], output: Output) => RowWriter;
  /** A heartbeat is written if fewer bytes than this were written since the last look. */
  heartbeatBelow: number;
  /** Aborted when nobody reads the rows any longer. */
  signal?: AbortSignal;
}

/** Whether the columns of a query through this view were found by running its script. */
export function findsColumns(view: string | undefined): view is string {
  return view !== undefined && !NAMES_COLUMNS.test(view);
}

/** Runs the query. Resolves when all rows are written. @throws BigtraceError, or the error of writing */
export async function writeRows(
  client: BridgeClient,
  input: QueryInput,
  { stdout, more, view, mayRepeat, onReached, writerOf, heartbeatBelow, signal }: RowsOutput,
): Promise<void> {
  checkArguments(input.statement);
  const isFound = findsColumns(view);
  const columns = parseStructure(input.structure, isFound);
  const output = new Output(stdout);
  const writer = writerOf(columns, output);
  let heartbeat: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    stdout.on('error', reject);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    heartbeat = startHeartbeat(output, writer, { heartbeatBelow, failed: reject });
  });
  const rows = new Rows(new Table(columns.map(({ name }) => name)), writer);
  let call: QueryCall | undefined;
  let isOver = false;
  const attempt = async (): Promise<void> => {
    if (isOver) return; // the query failed during the pause before this attempt
    call?.cancel();
    if (call !== undefined) client.reconnect();
    call = client.query();
    const sending = sendTraces(call, input, more, onReached);
    const unsent = new Promise<never>((_, reject) => {
      sending.catch((error: unknown) => reject(client.errorOf(error)));
    });
    await Promise.race([receive(call, client, rows), unsent]);
  };
  // More addresses can be read only once.
  const tracesDone = withRetries(attempt, () => {
    return mayRepeat && more === undefined && !rows.begun && !isOver;
  });
  try {
    await Promise.race([tracesDone.then(() => writer.finish()), broken]);
  } catch (error) {
    if (!(error instanceof TypeMismatch && isFound)) throw error;
    clearInterval(heartbeat); // it would write rows of which some columns lack cells
    const isLearned = await learnKind(client, input, columns, error);
    throw withRemedy(error, columns, { view, input, isLearned });
  } finally {
    isOver = true;
    clearInterval(heartbeat);
    call?.cancel();
  }
}

function rowWriter(format: RowFormat, columns: readonly TableColumn[], output: Output): RowWriter {
  if (format === 'Native') return new NativeRows(columns, output);
  return new TsvRows(columns, output, format === 'CustomSeparated' ? END_MARK : undefined);
}

/** Sends the kind of the value to the orchestrator. Returns whether the next column finding will know it. */
async function learnKind(
  client: BridgeClient,
  input: QueryInput,
  columns: readonly TableColumn[],
  { facts }: TypeMismatch,
): Promise<boolean> {
  if (facts.kinds === 0) return false;
  const learnedType = {
    column: columns.indexOf(facts.column),
    kinds: facts.kinds,
    tracesDigest: addressesDigest(input.list?.sample ?? input.traces),
  };
  try {
    await client.learn(input, learnedType, AbortSignal.timeout(LEARN_MS_MAX));
    return true;
  } catch {
    return false; // the error states another remedy
  }
}

async function readInput(
  stdin: Readable,
  format: RowFormat,
  moreTraces: boolean,
): Promise<QueryInput> {
  if (format === 'Native') return queryInput(rowOfNative(await wholeOf(stdin)), moreTraces);
  for await (const [line] of linesOf(stdin, REQUEST_BYTES_MAX))
    if (line !== undefined) return queryInput(rowOfTsv(line), moreTraces);
  throw new BigtraceError('internal', 'malformed request: stdin ended before a row');
}

/** Reads stdin to its end. @throws limit_exceeded if it has more than REQUEST_BYTES_MAX */
async function wholeOf(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= REQUEST_BYTES_MAX) continue;
    const bound = `the request is longer than ${REQUEST_BYTES_MAX} bytes`;
    throw new BigtraceError('limit_exceeded', bound);
  }
  return Buffer.concat(chunks);
}

function startHeartbeat(
  output: Output,
  writer: RowWriter,
  { heartbeatBelow, failed }: { heartbeatBelow: number; failed: (error: unknown) => void },
): NodeJS.Timeout {
  let written = Number.NEGATIVE_INFINITY;
  return setInterval(() => {
    const isSilent = output.bytesWritten - written < heartbeatBelow;
    if (isSilent && output.at === 0 && !output.blocked) {
      writer.heartbeat();
      writer.flush().catch(failed);
    }
    written = output.bytesWritten;
  }, HEARTBEAT_MS);
}

/**
 * Sends the start message, then the addresses as they arrive. It reads addresses before the orchestrator takes them, up
 * to UNSENT_BYTES_MAX: a ClickHouse that needs no more rows writes all its addresses before it closes the pipe of rows.
 */
async function sendTraces(
  call: QueryCall,
  input: QueryInput,
  more: AsyncIterable<Buffer[]> | undefined,
  onReached: () => void = () => undefined,
): Promise<void> {
  let unsentBytes = 0;
  let wakeSender = (): void => {};
  const send = async (message: Buffer, onSent = (): void => {}): Promise<void> => {
    unsentBytes += message.length;
    call.write(message, () => {
      unsentBytes -= message.length;
      wakeSender();
      onSent();
    });
    while (unsentBytes > UNSENT_BYTES_MAX)
      await new Promise<void>((resolve) => {
        wakeSender = resolve;
      });
  };
  await send(encodeStart(input), onReached);
  for (let at = 0; at < input.traces.length; at += TRACES_PER_MESSAGE)
    await send(encodeTraces(input.traces.slice(at, at + TRACES_PER_MESSAGE)));
  if (more !== undefined) for await (const addresses of more) await send(encodeTraces(addresses));
  call.end();
}

async function* addressesOf(list: Readable, format: RowFormat): AsyncGenerator<Buffer[]> {
  if (format === 'Native') {
    yield* stringsOfBlocks(list, ADDRESS_BYTES_MAX);
    return;
  }
  const lines = linesOf(list, ADDRESS_BYTES_MAX);
  for await (const some of format === 'CustomSeparated' ? untilEndMark(lines) : lines)
    yield some.map(unescaped);
}

async function receive(call: QueryCall, client: BridgeClient, rows: Rows): Promise<void> {
  try {
    for await (const message of call) {
      for (const event of decodeQueryResponse(message as Buffer)) {
        if ('rows' in event) await rows.write(event.rows);
        else rows.failed(event.failure);
      }
      await rows.flush();
    }
  } catch (error) {
    throw client.errorOf(error);
  }
  rows.end();
}

/** Writes the rows of all traces. The chunks of several traces may alternate. */
class Rows {
  readonly #table: Table;
  readonly #writer: RowWriter;
  /** Traces whose last chunk has not arrived, by the bytes of their address (as latin1). */
  readonly #open = new Map<string, TraceRows>();
  #tracesDone = 0;
  readonly #failures = new FailureReasons();
  #begun = false;

  constructor(table: Table, writer: RowWriter) {
    this.#table = table;
    this.#writer = writer;
  }

  /** Whether the orchestrator has returned anything. */
  get begun(): boolean {
    return this.#begun;
  }

  async write({ trace, result, last }: RowsEvent): Promise<void> {
    this.#begun = true;
    const key = Buffer.from(trace.buffer, trace.byteOffset, trace.length).toString('latin1');
    const rows =
      this.#open.get(key) ?? new TraceRows(trace, this.#table, this.#writer.trace(trace));
    this.#open.set(key, rows);
    for (const _ of rows.write(result)) await this.#writer.flush();
    if (!last) return;
    rows.end();
    this.#open.delete(key);
    this.#tracesDone++;
  }

  failed({ trace, code, message }: FailureEvent): void {
    this.#begun = true;
    this.#open.delete(Buffer.from(trace).toString('latin1'));
    this.#writer.failure(trace);
    this.#failures.add(
      new BigtraceError(isErrorCode(code) ? code : 'internal', message, {
        trace: printable(textFromBytes(trace)),
      }),
    );
  }

  async flush(): Promise<void> {
    await this.#writer.flush();
  }

  /** To be called after the last message. @throws internal if a trace is incomplete; all_failed if every trace failed */
  end(): void {
    for (const [key] of this.#open)
      throw new BigtraceError('internal', 'the result ended before its last chunk', {
        trace: printable(textFromBytes(Buffer.from(key, 'latin1'))),
      });
    if (this.#tracesDone === 0 && this.#failures.count > 0) throw this.#failures.allFailed();
  }
}
