/** `bigtrace query`: one request in, rows out, as they come. */
import type { Readable, Writable } from 'node:stream';
import { printable, textFromBytes } from '../common/byte-text.ts';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import { ColumnWriter } from './convert.ts';
import {
  decodeQueryResponse,
  encodeStart,
  encodeTraces,
  type FailureEvent,
  type RowsEvent,
} from './messages.ts';
import type { OrchestratorClient, QueryCall } from './orchestrator.ts';
import { Output } from './output.ts';
import { parseQueryInput, type QueryInput, REQUEST_BYTES_MAX } from './request.ts';
import { parseStructure } from './structure.ts';
import { Table, TraceRows } from './trace-rows.ts';
import { linesOf, unescaped } from './tsv.ts';

/** ClickHouse notices a cancelled query when it has read a row; see docs/ARCHITECTURE.md. */
const HEARTBEAT_MS = 200;

const TRACES_PER_MESSAGE = 1000;

/** Addresses that the orchestrator has not taken yet. */
const UNSENT_BYTES_MAX = 128 * 2 ** 20;

const ADDRESS_BYTES_MAX = 64 * 1024;

export interface QueryStreams {
  stdin: Readable;
  stdout: Writable;
  /** Further traces, one a row (--traces-fd). */
  traces: Readable | undefined;
  /** Whether the rows end with END_MARK. */
  endMark?: boolean;
}

/**
 * Behind the last row, where all went well or what did not is on stderr. ClickHouse takes the end of the
 * pipe for the end of the rows, whatever it was that ended it; the views tell it to insist on this line.
 */
export const END_MARK = Buffer.from('END\n');

/** The same mark, behind the list of traces. No address is like it. */
const LIST_END = Buffer.from('END');

/** Resolves when all rows are written; rejects with a BigtraceError, or with stdout's own error. */
export async function runQuery(
  client: OrchestratorClient,
  { stdin, stdout, traces, endMark = false }: QueryStreams,
): Promise<void> {
  const input = await readInput(stdin, traces !== undefined);
  const columns = parseStructure(input.structure);
  const output = new Output(stdout);
  const table = new Table(
    columns.map(({ name }) => name),
    columns.map((column) => new ColumnWriter(column)),
  );
  const call = client.query();
  let heartbeat: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    stdout.on('error', reject);
    heartbeat = startHeartbeat(output, table.heartbeat, reject);
    sendTraces(call, input, traces, endMark).catch((error) => reject(client.errorOf(error)));
  });
  const answered = receive(call, client, new Rows(table, output)).then(() => {
    if (endMark) output.append(END_MARK);
    return output.drain();
  });
  try {
    await Promise.race([answered, broken]);
  } finally {
    clearInterval(heartbeat);
    call.cancel();
  }
}

async function readInput(stdin: Readable, moreTraces: boolean): Promise<QueryInput> {
  for await (const [line] of linesOf(stdin, REQUEST_BYTES_MAX))
    if (line !== undefined) return parseQueryInput(line, moreTraces);
  throw new BigtraceError('internal', 'malformed request: stdin ended before a row');
}

function startHeartbeat(
  output: Output,
  row: Buffer,
  failed: (error: unknown) => void,
): NodeJS.Timeout {
  let written = -1;
  return setInterval(() => {
    const silent = output.bytesWritten === written && output.at === 0 && !output.blocked;
    if (silent) {
      output.append(row);
      output.flush().catch(failed);
    }
    written = output.bytesWritten;
  }, HEARTBEAT_MS);
}

/**
 * Writes the start, then the addresses as they come. They are taken from ClickHouse sooner than the orchestrator
 * wants them, up to a bound: when ClickHouse has rows enough it waits until its addresses are taken,
 * before it closes the pipe of the rows.
 */
async function sendTraces(
  call: QueryCall,
  input: QueryInput,
  more: Readable | undefined,
  endMark: boolean,
): Promise<void> {
  let unsentBytes = 0;
  let onTaken = (): void => {};
  const send = async (message: Buffer): Promise<void> => {
    unsentBytes += message.length;
    call.write(message, () => {
      unsentBytes -= message.length;
      onTaken();
    });
    while (unsentBytes > UNSENT_BYTES_MAX)
      await new Promise<void>((resolve) => {
        onTaken = resolve;
      });
  };
  await send(encodeStart(input));
  for (let at = 0; at < input.traces.length; at += TRACES_PER_MESSAGE)
    await send(encodeTraces(input.traces.slice(at, at + TRACES_PER_MESSAGE)));
  if (more !== undefined)
    for await (const addresses of addressesOf(more, endMark)) await send(encodeTraces(addresses));
  call.end();
}

/** @throws internal, where the list should end with a mark and does not. */
async function* addressesOf(list: Readable, endMark: boolean): AsyncGenerator<Buffer[]> {
  let ended = !endMark;
  for await (const lines of linesOf(list, ADDRESS_BYTES_MAX)) {
    const addresses = lines.map(unescaped);
    ended = !endMark || addresses.at(-1)?.equals(LIST_END) === true;
    if (endMark && ended) addresses.pop();
    yield addresses;
  }
  if (!ended) throw new BigtraceError('internal', 'the list of traces was cut short');
}

async function receive(call: QueryCall, client: OrchestratorClient, rows: Rows): Promise<void> {
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

/** The rows of all traces, as their chunks come in, one among another. */
class Rows {
  readonly #table: Table;
  readonly #output: Output;
  /** Traces whose answer is not complete, by their address's bytes. */
  readonly #open = new Map<string, TraceRows>();
  #answered = 0;
  #failures = 0;
  #firstFailure: BigtraceError | undefined;

  constructor(table: Table, output: Output) {
    this.#table = table;
    this.#output = output;
  }

  async write({ trace, result, last }: RowsEvent): Promise<void> {
    const key = Buffer.from(trace.buffer, trace.byteOffset, trace.length).toString('latin1');
    const rows = this.#open.get(key) ?? new TraceRows(trace, this.#table, this.#output);
    this.#open.set(key, rows);
    for (const _ of rows.write(result)) await this.#output.flush();
    if (!last) return;
    rows.end();
    this.#open.delete(key);
    this.#answered++;
  }

  failed({ trace, code, message }: FailureEvent): void {
    this.#failures++;
    this.#open.delete(Buffer.from(trace).toString('latin1'));
    this.#output.append(this.#table.failure(trace));
    this.#firstFailure ??= new BigtraceError('all_failed', `${message} (${code})`, {
      trace: printable(textFromBytes(trace)),
    });
  }

  async flush(): Promise<void> {
    await this.#output.flush();
  }

  /** @throws internal, where a trace's answer is not complete; all_failed. */
  end(): void {
    for (const [key] of this.#open)
      throw new BigtraceError('internal', 'the answer ended before its last chunk', {
        trace: printable(textFromBytes(Buffer.from(key, 'latin1'))),
      });
    if (this.#answered > 0 || this.#firstFailure === undefined) return;
    const { trace, detail } = asBigtraceError(this.#firstFailure);
    throw new BigtraceError(
      'all_failed',
      `none of the ${this.#failures} traces answered; the first: [${trace}]: ${detail}`,
    );
  }
}
