/** One gRPC call whose messages are encoded bytes in both directions. */
import { STATUS } from '../../lib/common/call-errors.ts';
import { CallError, statusOf, statusOfHttp, statusOfReset } from './call-error.ts';
import type { Channel } from './channel.ts';
import type { Connection } from './connection.ts';
import { CODE } from './frames.ts';
import type { Headers } from './hpack.ts';
import { framed, MessageReader } from './messages.ts';
import type { Stream } from './stream.ts';

const CANCELLED = new CallError(STATUS.CANCELLED, 'the call was cancelled');

export class Call {
  readonly #opened: Promise<{ stream: Stream; connection: Connection }>;
  #stream: Stream | undefined;
  /** What is to be sent when there is a connection. */
  #unsent: { bytes: Buffer; onSent: () => void }[] = [];
  #hasEnded = false;
  #onCancel = (): void => {};
  #isCancelled = false;
  #httpStatus = 200;
  /** The status from the trailers. */
  #status: CallError | undefined;

  constructor(channel: Channel, path: string) {
    const opened = channel.open(path, (connection) => ({
      onHeaders: (headers, isLast) => {
        this.#httpStatus = Number(headers[':status'] ?? 0);
        if (isLast) this.#onTrailers(headers);
      },
      onTrailers: (trailers) => this.#onTrailers(trailers),
      onClose: () => connection.ended(this.#status?.code === STATUS.OK),
    }));
    const cancelled = new Promise<never>((_, reject) => {
      this.#onCancel = () => reject(CANCELLED);
    });
    this.#opened = Promise.race([opened, cancelled]);
    opened.then(
      ({ stream }) => this.#start(stream),
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
    this.#stream?.reset(CODE.CANCEL);
  }

  /** Yields the messages. Ending the iteration cancels the call. @throws CallError */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const { stream, connection } = await this.#opened;
    const reader = new MessageReader();
    try {
      if (this.#isCancelled) throw CANCELLED;
      for (let piece = await stream.read(); piece !== undefined; piece = await stream.read())
        if (this.#httpStatus === 200) yield* reader.add(piece);
      const failure = this.#failure(stream, connection, !reader.isWithinMessage);
      if (failure !== undefined) throw failure;
    } finally {
      stream.reset(CODE.CANCEL); // it may be open in our direction
    }
  }

  #start(stream: Stream): void {
    this.#stream = stream;
    if (this.#isCancelled) stream.reset(CODE.CANCEL);
    for (const { bytes, onSent } of this.#unsent) this.#send(stream, bytes, onSent);
    this.#unsent = [];
    if (this.#hasEnded) stream.end();
  }

  #send(stream: Stream, bytes: Buffer, onSent: () => void): void {
    if (stream.isWritable) stream.write(bytes, onSent); // otherwise the call is over
  }

  #onTrailers(headers: Headers): void {
    this.#status = statusOf(headers);
    // The server reads no further messages.
    this.#stream?.end();
  }

  /** Returns why the call failed; undefined if it succeeded. @param isComplete whether all messages were read */
  #failure(stream: Stream, { lost }: Connection, isComplete: boolean): CallError | undefined {
    if (this.#status !== undefined && this.#status.code !== STATUS.OK) return this.#status;
    if (this.#isCancelled) return CANCELLED;
    if (this.#status !== undefined && isComplete) return undefined;
    if (this.#httpStatus !== 200) return statusOfHttp(this.#httpStatus);
    if (this.#status !== undefined)
      return new CallError(STATUS.INTERNAL, 'the call ended within a message');
    if (lost !== undefined && stream.rstCode !== CODE.REFUSED_STREAM)
      return new CallError(STATUS.UNAVAILABLE, lost);
    return statusOfReset(stream.rstCode);
  }
}
