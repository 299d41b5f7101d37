/** One gRPC call whose messages are encoded bytes in both directions. */
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { STATUS } from '../../lib/common/call-errors.ts';
import { CallError, statusOf, statusOfHttp, statusOfReset } from './call-error.ts';
import type { Channel } from './channel.ts';
import type { Connection } from './connection.ts';
import { framed, MessageReader } from './messages.ts';

const CANCELLED = new CallError(STATUS.CANCELLED, 'the call was cancelled');

export class Call {
  readonly #opened: Promise<{ stream: ClientHttp2Stream; connection: Connection }>;
  #stream: ClientHttp2Stream | undefined;
  /** What is to be sent when there is a connection. */
  #unsent: { bytes: Buffer; onSent: () => void }[] = [];
  #hasEnded = false;
  #onCancel = (): void => {};
  #isCancelled = false;
  #httpStatus = 200;
  /** The status from the trailers. */
  #status: CallError | undefined;
  #streamError: Error | undefined;

  constructor(channel: Channel, path: string) {
    const opened = channel.open(path);
    const cancelled = new Promise<never>((_, reject) => {
      this.#onCancel = () => reject(CANCELLED);
    });
    this.#opened = Promise.race([opened, cancelled]);
    opened.then(
      ({ stream, connection }) => this.#start(stream, connection),
      () => {},
    );
    this.#opened.catch(() => {}); // reading the call throws it
  }

  /** @param onSent called when the message has been passed to the kernel */
  write(message: Uint8Array, onSent: () => void = () => {}): void {
    const bytes = framed(message);
    if (this.#stream === undefined) this.#unsent.push({ bytes, onSent });
    else this.#send(this.#stream, bytes, onSent);
  }

  /** No further message follows. */
  end(): void {
    this.#hasEnded = true;
    this.#stream?.end();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#unsent = [];
    this.#onCancel();
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  /** Yields the messages. Ending the iteration cancels the call. @throws CallError */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const { stream, connection } = await this.#opened;
    const reader = new MessageReader();
    let isOver = false;
    try {
      if (this.#isCancelled) throw CANCELLED;
      for await (const piece of stream.iterator({ destroyOnReturn: false }))
        if (this.#httpStatus === 200) yield* reader.add(piece as Buffer);
      await untilStatus(stream, () => this.#status !== undefined);
      isOver = true;
    } catch (error) {
      // Without a CallError, the stream broke.
      if (error instanceof CallError) throw error;
      throw this.#failure(stream, connection, false);
    } finally {
      if (!isOver) stream.close(constants.NGHTTP2_CANCEL);
    }
    const failure = this.#failure(stream, connection, !reader.isWithinMessage);
    if (failure === undefined) return;
    stream.close(constants.NGHTTP2_CANCEL); // it may have no status, and be open in our direction
    throw failure;
  }

  #start(stream: ClientHttp2Stream, connection: Connection): void {
    this.#stream = stream;
    stream.on('response', (headers, flags) => {
      this.#httpStatus = headers[':status'] ?? 0;
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) this.#onTrailers(headers);
    });
    stream.on('trailers', (trailers) => this.#onTrailers(trailers));
    stream.on('error', (error) => {
      this.#streamError = error;
    });
    stream.on('close', () => connection.ended(this.#status?.code === STATUS.OK));
    if (this.#isCancelled) stream.close(constants.NGHTTP2_CANCEL);
    for (const { bytes, onSent } of this.#unsent) this.#send(stream, bytes, onSent);
    this.#unsent = [];
    if (this.#hasEnded) stream.end();
  }

  #send(stream: ClientHttp2Stream, bytes: Buffer, onSent: () => void): void {
    if (!stream.writable) return; // the call is over; an error of writing would discard what was not read yet
    stream.write(bytes, (error) => {
      if (!error) onSent();
    });
  }

  #onTrailers(headers: IncomingHttpHeaders): void {
    this.#status = statusOf(headers);
    // The server reads no further messages.
    if (this.#stream?.writableEnded === false) this.#stream.end();
  }

  /** Returns why the call failed; undefined if it succeeded. @param isComplete whether all messages were read */
  #failure(
    stream: ClientHttp2Stream,
    { lost }: Connection,
    isComplete: boolean,
  ): CallError | undefined {
    if (this.#status !== undefined && this.#status.code !== STATUS.OK) return this.#status;
    if (this.#isCancelled) return CANCELLED;
    if (this.#status !== undefined && isComplete) return undefined;
    if (this.#httpStatus !== 200) return statusOfHttp(this.#httpStatus);
    if (this.#status !== undefined)
      return new CallError(STATUS.INTERNAL, 'the call ended within a message');
    const { NGHTTP2_REFUSED_STREAM } = constants;
    if (lost !== undefined && stream.rstCode !== NGHTTP2_REFUSED_STREAM)
      return new CallError(STATUS.UNAVAILABLE, lost);
    return statusOfReset(stream.rstCode, this.#streamError);
  }
}

/** Waits until the status has arrived, which may be a moment after the data has ended. */
async function untilStatus(stream: ClientHttp2Stream, hasStatus: () => boolean): Promise<void> {
  if (!hasStatus() && !stream.closed) await new Promise((resolve) => setImmediate(resolve));
}
