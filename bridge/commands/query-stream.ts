/** One call of Query: sends the addresses, receives the events, and writes the rows of whole traces. */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import { FailureReasons } from '../../lib/common/failure-reasons.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { RowWriter } from '../cells/row-writer.ts';
import { type Table, TraceRows } from '../cells/trace-rows.ts';
import { type BridgeClient, isRefused } from '../grpc/bridge-client.ts';
import {
  decodeQueryResponse,
  encodeStart,
  encodeTraces,
  type FailureEvent,
  type RowsEvent,
} from '../grpc/messages.ts';
import type { Call } from '../http2/call.ts';
import type { QueryInput } from '../request/request.ts';
import { withRetries } from './retry.ts';

const TRACES_PER_MESSAGE = 1000;

/** Bound of the messages that gRPC has not sent yet; above it, no further addresses are read. */
const UNSENT_BYTES_MAX = 128 * 2 ** 20;

/** Receives the events of a query. */
export interface QueryEvents {
  /** Whether the orchestrator has returned anything. */
  readonly begun: boolean;
  write(rows: RowsEvent): Promise<void>;
  failed(failure: FailureEvent): void;
  /** Called after the events of each message. */
  flush(): Promise<void>;
  /** Called after the last message. @throws internal if a trace is incomplete; all_failed if every trace failed */
  end(): void;
}

export interface QueryRun {
  /** Whether the query may run again on another orchestrator if its own is lost. */
  mayRepeat: boolean;
  /** Called when the start message has been sent, so that the connection exists. */
  onReached?: (() => void) | undefined;
  /** More trace addresses. They can be read only once. */
  more: AsyncIterable<Buffer[]> | undefined;
}

/** Runs the query until its end, or until it is stopped. */
export function startQuery(
  client: BridgeClient,
  input: QueryInput,
  events: QueryEvents,
  { mayRepeat, onReached, more }: QueryRun,
): { done: Promise<void>; stop: () => void } {
  let call: Call | undefined;
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
    await Promise.race([receive(call, client, events), unsent]);
  };
  const done = withRetries(
    attempt,
    (error) => (mayRepeat || isRefused(error)) && more === undefined && !events.begun && !isOver,
  );
  const stop = (): void => {
    isOver = true;
    call?.cancel();
  };
  return { done, stop };
}

/**
 * Sends the start message, then the addresses as they arrive. It reads addresses before the orchestrator takes them, up
 * to UNSENT_BYTES_MAX: a ClickHouse that needs no more rows writes all its addresses before it closes the pipe of rows.
 */
async function sendTraces(
  call: Call,
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

async function receive(call: Call, client: BridgeClient, events: QueryEvents): Promise<void> {
  try {
    for await (const message of call) {
      for (const event of decodeQueryResponse(message)) {
        if ('rows' in event) await events.write(event.rows);
        else events.failed(event.failure);
      }
      await events.flush();
    }
  } catch (error) {
    throw client.errorOf(error);
  }
  events.end();
}

/** Writes the rows of all traces. The chunks of several traces may alternate. */
export class Rows implements QueryEvents {
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
