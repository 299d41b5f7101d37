/** One request and its response on an HTTP/2 connection. */
import { RECEIVE_WINDOW_BYTES } from '../../lib/proto/channel-options.ts';
import { CODE, ProtocolError } from './frames.ts';
import type { Headers } from './hpack.ts';

/** What a stream needs of its connection. */
export interface StreamConnection {
  /** Sends what the windows allow. */
  pump(stream: Stream): void;
  /** Tells the server that so many bytes were read. */
  consumed(stream: Stream, bytes: number): void;
  /** Ends the stream on both sides. */
  reset(stream: Stream, code: number): void;
}

export interface StreamEvents {
  /** @param isLast whether there is no data, so that these are the trailers as well */
  onHeaders(headers: Headers, isLast: boolean): void;
  onTrailers(headers: Headers): void;
  onClose(): void;
}

interface Unsent {
  bytes: Buffer;
  onSent: () => void;
}

export class Stream {
  readonly #connection: StreamConnection;
  readonly #events: StreamEvents;
  /** 0 until it was opened. */
  id = 0;
  /** Bytes that the server is willing to receive; may be negative. */
  sendWindow = 0;
  readonly unsent: Unsent[] = [];
  /** Whether no further data follows that of `unsent`. */
  hasEnded = false;
  /** Whether END_STREAM was sent. */
  endSent = false;
  /** Code of the RST_STREAM that ended it. */
  rstCode: number = CODE.NO_ERROR;
  #isClosed = false;
  #hasHeaders = false;
  /** Whether the server sends nothing more. */
  #isComplete = false;
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Bytes that were read and not yet reported to the server. */
  #unreportedBytes = 0;
  #wakeReader = (): void => {};

  constructor(connection: StreamConnection, events: StreamEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isWritable(): boolean {
    return !this.hasEnded && !this.#isClosed;
  }

  /** @param onSent called when the bytes have been passed to the kernel */
  write(bytes: Buffer, onSent: () => void): void {
    this.unsent.push({ bytes, onSent });
    this.#connection.pump(this);
  }

  /** No further data follows. */
  end(): void {
    if (!this.isWritable) return;
    this.hasEnded = true;
    this.#connection.pump(this);
  }

  /** Ends the stream, unless it has ended. */
  reset(code: number): void {
    if (!this.#isClosed) this.#connection.reset(this, code);
  }

  /** Resolves to the next data; to undefined when there is no more, for whatever reason. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = this.#received.shift();
      if (piece !== undefined) {
        this.#receivedBytes -= piece.length;
        this.#report(piece.length);
        return piece;
      }
      if (this.#isComplete || this.#isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #report(bytes: number): void {
    this.#unreportedBytes += bytes;
    if (this.#unreportedBytes < RECEIVE_WINDOW_BYTES / 2 || this.#isComplete) return;
    this.#connection.consumed(this, this.#unreportedBytes);
    this.#unreportedBytes = 0;
  }

  /** @throws ProtocolError */
  onHeaders(headers: Headers, isLast: boolean): void {
    if (this.#isComplete) throw new ProtocolError('received headers after the end of a stream');
    if (this.#hasHeaders) {
      if (!isLast) throw new ProtocolError('received headers within the data of a stream');
      this.#complete(() => this.#events.onTrailers(headers));
    } else if (!isLast) {
      this.#hasHeaders = !/^1\d\d$/.test(String(headers[':status']));
      if (this.#hasHeaders) this.#events.onHeaders(headers, false);
    } else this.#complete(() => this.#events.onHeaders(headers, true));
  }

  /** @throws ProtocolError */
  onData(piece: Buffer, isLast: boolean): void {
    if (this.#isComplete || !this.#hasHeaders)
      throw new ProtocolError('received data before or after a stream');
    this.#receivedBytes += piece.length;
    if (this.#receivedBytes + this.#unreportedBytes > RECEIVE_WINDOW_BYTES)
      throw new ProtocolError('received more data than allowed', CODE.FLOW_CONTROL_ERROR);
    if (piece.length > 0) this.#received.push(piece);
    if (isLast) this.#complete(() => {});
    else this.#wakeReader();
  }

  #complete(report: () => void): void {
    this.#isComplete = true;
    report();
    this.#wakeReader();
    this.closeIfDone();
  }

  /** Closes the stream if both sides have sent their last frame. */
  closeIfDone(): void {
    if (this.#isComplete && this.endSent) this.close();
  }

  /** Called when the stream has ended on both sides, or with its connection. What was received can still be read. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.unsent.length = 0;
    this.#wakeReader();
    this.#events.onClose();
  }
}
