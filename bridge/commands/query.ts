/** `bigtrace query`: reads one request, and writes the rows as they arrive. */
import type { Readable, Writable } from 'node:stream';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { RowWriter } from '../cells/row-writer.ts';
import { Table } from '../cells/trace-rows.ts';
import { withRemedy } from '../columns/remedy.ts';
import { parseStructure, type TableColumn } from '../columns/structure.ts';
import { TypeMismatch } from '../columns/type-mismatch.ts';
import type { BridgeClient } from '../grpc/bridge-client.ts';
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
import { Rows, startQuery } from './query-stream.ts';

/**
 * A heartbeat is written if there was no output for this long. ClickHouse notices a cancelled query only when it reads
 * something (docs/ARCHITECTURE.md).
 */
export const HEARTBEAT_MS = 200;

const ADDRESS_BYTES_MAX = 64 * 1024;

/** Timeout of Learn, which delays the error of the query. */
const LEARN_MS_MAX = 2000;

/** Names of views without column finding. */
const NAMES_COLUMNS = /(_as|_summary)$/;

/** Formats of the request and of the rows. CustomSeparated is TSV with an end mark. */
export const ROW_FORMATS = ['TSV', 'CustomSeparated', 'Native'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

export interface QueryStreams extends QueryOutput {
  stdin: AsyncIterable<Buffer>;
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
  const query = startQuery(client, input, rows, { mayRepeat, onReached, more });
  try {
    await Promise.race([query.done.then(() => writer.finish()), broken]);
  } catch (error) {
    clearInterval(heartbeat); // it would write rows of which some columns lack cells
    throw isFound ? await remedied(error, { client, input, columns, view }) : error;
  } finally {
    clearInterval(heartbeat);
    query.stop();
  }
}

/** Returns the error, with a remedy if a value does not fit the column that was found for it. */
export async function remedied(
  error: unknown,
  {
    client,
    columns,
    ...query
  }: {
    client: BridgeClient;
    input: QueryInput;
    columns: readonly TableColumn[];
    view: string;
    cluster?: string;
  },
): Promise<unknown> {
  if (!(error instanceof TypeMismatch)) return error;
  const isLearned = await learnKind(client, query.input, columns, error);
  return withRemedy(error, columns, { ...query, isLearned });
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
  const { addressesDigest } = await import('../../lib/common/addresses/addresses-digest.ts');
  const learnedType = {
    column: columns.findIndex(({ name }) => name === facts.column.name),
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
  stdin: AsyncIterable<Buffer>,
  format: RowFormat,
  moreTraces: boolean,
): Promise<QueryInput> {
  if (format === 'Native') return queryInput(rowOfNative(await wholeOf(stdin)), moreTraces);
  for await (const [line] of linesOf(stdin, REQUEST_BYTES_MAX))
    if (line !== undefined) return queryInput(rowOfTsv(line), moreTraces);
  throw new BigtraceError('internal', 'malformed request: stdin ended before a row');
}

/** Reads stdin to its end. @throws limit_exceeded if it has more than REQUEST_BYTES_MAX */
async function wholeOf(stdin: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= REQUEST_BYTES_MAX) continue;
    const bound = `the request is longer than ${REQUEST_BYTES_MAX} bytes`;
    throw new BigtraceError('limit_exceeded', bound);
  }
  return Buffer.concat(chunks);
}

export function startHeartbeat(
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

async function* addressesOf(list: Readable, format: RowFormat): AsyncGenerator<Buffer[]> {
  if (format === 'Native') {
    yield* stringsOfBlocks(list, ADDRESS_BYTES_MAX);
    return;
  }
  const lines = linesOf(list, ADDRESS_BYTES_MAX);
  for await (const some of format === 'CustomSeparated' ? untilEndMark(lines) : lines)
    yield some.map(unescaped);
}
