/**
 * The client's side of an HTTP/2 connection (RFC 9113), as far as gRPC needs it. Loading node:http2 takes longer than
 * the rest of a short query: V8 compiles it and TLS at each start, while the code cache has what is here.
 */
import type { Socket } from 'node:net';
import { RECEIVE_WINDOW_BYTES } from '../../lib/proto/channel-options.ts';
import {
  CODE,
  contentOf,
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  frame,
  frameHead,
  numberFrame,
  PAYLOAD_BYTES_MAX,
  ProtocolError,
  SETTING,
  settingsFrame,
  settingsOf,
} from './frames.ts';
import { decodeHeaders, encodeHeaders, MalformedHeaders } from './hpack.ts';
import { Stream, type StreamConnection, type StreamEvents } from './stream.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Windows of both sides before settings and WINDOW_UPDATE change them. */
const WINDOW_BYTES = 65_535;
const WINDOW_BYTES_MAX = 2 ** 31 - 1;

/** A stream with longer headers is reset; a connection with much longer ones is closed. */
const HEADERS_BYTES_MAX = 64 * 1024;
const HEADERS_BYTES_CLOSING = 2 ** 20;

/** The last stream that a client may open. */
const STREAM_MAX = 2 ** 31 - 1;

export interface SessionEvents {
  /** The server's first settings have arrived. */
  onReady(): void;
  /** The server accepts no further streams. */
  onGoaway(): void;
  /** The connection has ended. @param reason why, unless this side has ended it */
  onClose(reason: string | undefined): void;
}

/** Headers that have not arrived completely. */
interface HeaderBlock {
  stream: number;
  isLast: boolean;
  pieces: Buffer[];
  bytes: number;
}

export class Session implements StreamConnection {
  readonly #socket: Socket;
  readonly #events: SessionEvents;
  readonly #reader = new FrameReader();
  readonly #streams = new Map<number, Stream>();
  /** Streams that wait until the server accepts more, with the headers of each. */
  readonly #waiting = new Map<Stream, Buffer>();
  #nextId = 1;
  #isReady = false;
  /** Whether no further streams are accepted. */
  #isClosing = false;
  #isDestroyed = false;
  #isCorked = false;
  #block: HeaderBlock | undefined;
  /** Bytes that were received and not yet reported to the server. */
  #unreportedBytes = 0;
  #sendWindow = WINDOW_BYTES;
  #streamWindow = WINDOW_BYTES;
  #payloadMax = PAYLOAD_BYTES_MAX;
  #streamsMax = Number.POSITIVE_INFINITY;
  /** Called with the responses to pings, in their order. */
  readonly #pings: (() => void)[] = [];

  /** @param socket may still be connecting */
  constructor(socket: Socket, events: SessionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.#onData(piece));
    socket.on('error', ({ message }) => this.destroy(message));
    socket.on('close', () => this.destroy('connection dropped'));
    this.#send(PREFACE);
    this.#send(
      settingsFrame([
        [SETTING.HEADER_TABLE_SIZE, 0],
        [SETTING.ENABLE_PUSH, 0],
        [SETTING.INITIAL_WINDOW_SIZE, RECEIVE_WINDOW_BYTES],
      ]),
    );
    this.#send(numberFrame(FRAME.WINDOW_UPDATE, 0, RECEIVE_WINDOW_BYTES - WINDOW_BYTES));
  }

  /** Whether it accepts further streams. */
  get isUsable(): boolean {
    return !this.#isClosing && !this.#isDestroyed && this.#nextId <= STREAM_MAX;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Starts a request. */
  open(headers: Readonly<Record<string, string>>, events: StreamEvents): Stream {
    const stream = new Stream(this, events);
    if (this.#isDestroyed) stream.close();
    else this.#waiting.set(stream, encodeHeaders(headers));
    this.#openWaiting();
    return stream;
  }

  #openWaiting(): void {
    for (const [stream, block] of this.#waiting) {
      if (this.#isDestroyed || this.#streams.size >= this.#streamsMax) return;
      this.#waiting.delete(stream);
      stream.id = this.#nextId;
      stream.sendWindow = this.#streamWindow;
      this.#nextId += 2;
      this.#streams.set(stream.id, stream);
      this.#sendHeaders(stream.id, block);
      this.pump(stream);
    }
  }

  #sendHeaders(stream: number, block: Buffer): void {
    for (let at = 0; at === 0 || at < block.length; at += PAYLOAD_BYTES_MAX) {
      const piece = block.subarray(at, at + PAYLOAD_BYTES_MAX);
      const flags = at + piece.length === block.length ? FLAG.END_HEADERS : 0;
      this.#send(frame(at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION, flags, stream, piece));
    }
  }

  /** Ends the connection after its streams. */
  close(): void {
    this.#isClosing = true;
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (!this.#isClosing || this.#isDestroyed) return;
    if (this.#streams.size + this.#waiting.size > 0) return;
    this.#socket.end(frame(FRAME.GOAWAY, 0, 0, Buffer.alloc(8)));
    this.destroy(undefined);
  }

  /** Ends the connection and its streams. @param reason why, unless this side wants it */
  destroy(reason: string | undefined): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (!this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.destroySoon();
    this.#events.onClose(reason);
    const streams = [...this.#streams.values(), ...this.#waiting.keys()];
    this.#streams.clear();
    this.#waiting.clear();
    for (const stream of streams) stream.close();
  }

  /** @param onAnswer called when the server has responded */
  ping(onAnswer: () => void): void {
    this.#pings.push(onAnswer);
    this.#send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
  }

  pump(stream: Stream): void {
    if (stream.id === 0 || stream.isClosed) return;
    const { unsent } = stream;
    for (let first = unsent[0]; first !== undefined; first = unsent[0]) {
      const { bytes, onSent } = first;
      const room = Math.min(this.#sendWindow, stream.sendWindow, this.#payloadMax);
      if (room <= 0) return;
      const piece = bytes.subarray(0, room);
      this.#sendWindow -= piece.length;
      stream.sendWindow -= piece.length;
      const isWhole = piece.length === bytes.length;
      this.#send(frameHead(FRAME.DATA, 0, stream.id, piece.length));
      this.#send(piece, isWhole ? onSent : undefined);
      if (isWhole) unsent.shift();
      else first.bytes = bytes.subarray(room);
    }
    if (!stream.hasEnded || stream.endSent) return;
    stream.endSent = true;
    this.#send(frameHead(FRAME.DATA, FLAG.END_STREAM, stream.id, 0));
    stream.closeIfDone();
    this.#forget(stream);
  }

  consumed({ id, isClosed }: Stream, bytes: number): void {
    if (!isClosed) this.#send(numberFrame(FRAME.WINDOW_UPDATE, id, bytes));
  }

  reset(stream: Stream, code: number): void {
    if (stream.id !== 0) this.#send(numberFrame(FRAME.RST_STREAM, stream.id, code));
    this.#end(stream, code);
  }

  #end(stream: Stream, code: number): void {
    stream.rstCode = code;
    this.#waiting.delete(stream);
    stream.close();
    this.#forget(stream);
  }

  #forget(stream: Stream): void {
    if (!stream.isClosed) return;
    this.#streams.delete(stream.id);
    this.#openWaiting();
    this.#endIfIdle();
  }

  /** What is sent in one turn of the event loop is written at once. */
  #send(bytes: Buffer, onSent?: () => void): void {
    if (this.#isDestroyed || this.#socket.writableEnded) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes, (error) => {
      if (!error) onSent?.();
    });
  }

  #onData(piece: Buffer): void {
    try {
      for (const each of this.#reader.add(piece)) {
        if (this.#isDestroyed) return;
        this.#onFrame(each);
      }
    } catch (error) {
      const isMalformed = error instanceof MalformedHeaders;
      if (!isMalformed && !(error instanceof ProtocolError)) throw error;
      const goaway = Buffer.alloc(8);
      goaway.writeUInt32BE(isMalformed ? CODE.COMPRESSION_ERROR : error.code, 4);
      this.#socket.end(frame(FRAME.GOAWAY, 0, 0, goaway));
      this.destroy(`the server broke the protocol: ${error.message}`);
    }
  }

  #onFrame(received: Frame): void {
    const { type, stream, payload } = received;
    if (!this.#isReady && type !== FRAME.SETTINGS)
      throw new ProtocolError('received no settings at first');
    if (this.#block !== undefined && (type !== FRAME.CONTINUATION || stream !== this.#block.stream))
      throw new ProtocolError('received a frame within headers');
    if (type === FRAME.PUSH_PROMISE)
      throw new ProtocolError('received a response that was not requested');
    if (type === FRAME.DATA) this.#onDataFrame(received);
    else if (type === FRAME.HEADERS || type === FRAME.CONTINUATION) this.#onHeaderFrame(received);
    else if (type === FRAME.RST_STREAM) this.#onReset(stream, numberOf(payload));
    else if (type === FRAME.SETTINGS) this.#onSettings(received);
    else if (type === FRAME.PING) this.#onPing(received);
    else if (type === FRAME.GOAWAY) this.#onGoaway(payload);
    else if (type === FRAME.WINDOW_UPDATE)
      this.#onWindowUpdate(stream, numberOf(payload) & WINDOW_BYTES_MAX);
  }

  /** Returns undefined for a stream that has ended. @throws ProtocolError if it was never opened */
  #streamOf(id: number): Stream | undefined {
    if (id % 2 === 0 || id >= this.#nextId)
      throw new ProtocolError('received a frame of a stream that does not exist');
    return this.#streams.get(id);
  }

  #onDataFrame(received: Frame): void {
    const stream = this.#streamOf(received.stream);
    // A stream that is not read holds up no other stream of the connection.
    this.#unreportedBytes += received.payload.length;
    if (this.#unreportedBytes >= RECEIVE_WINDOW_BYTES / 2) {
      this.#send(numberFrame(FRAME.WINDOW_UPDATE, 0, this.#unreportedBytes));
      this.#unreportedBytes = 0;
    }
    if (stream === undefined) return;
    stream.onData(contentOf(received), (received.flags & FLAG.END_STREAM) !== 0);
    this.#forget(stream);
  }

  #onHeaderFrame(received: Frame): void {
    const { type, flags, stream, payload } = received;
    if (type === FRAME.HEADERS) {
      const isLast = (flags & FLAG.END_STREAM) !== 0;
      this.#block = { stream, isLast, pieces: [], bytes: 0 };
    }
    const block = this.#block;
    if (block === undefined) throw new ProtocolError('received the rest of no headers');
    const content = type === FRAME.HEADERS ? contentOf(received) : payload;
    block.bytes += content.length;
    if (block.bytes > HEADERS_BYTES_CLOSING)
      throw new ProtocolError('received endless headers', CODE.ENHANCE_YOUR_CALM);
    if (block.bytes <= HEADERS_BYTES_MAX) block.pieces.push(content);
    if ((flags & FLAG.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#onHeaders(block);
  }

  #onHeaders({ stream: id, isLast, pieces, bytes }: HeaderBlock): void {
    const stream = this.#streamOf(id);
    if (stream === undefined) return;
    if (bytes > HEADERS_BYTES_MAX) {
      this.reset(stream, CODE.ENHANCE_YOUR_CALM);
      return;
    }
    stream.onHeaders(decodeHeaders(Buffer.concat(pieces)), isLast);
    this.#forget(stream);
  }

  #onReset(id: number, code: number): void {
    const stream = this.#streamOf(id);
    if (stream !== undefined) this.#end(stream, code);
  }

  #onSettings({ flags, payload }: Frame): void {
    if ((flags & FLAG.ACK) !== 0) return;
    for (const [id, value] of settingsOf(payload)) this.#onSetting(id, value);
    this.#send(frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(0)));
    if (!this.#isReady) {
      this.#isReady = true;
      this.#events.onReady();
    }
    this.#pumpAll();
    this.#openWaiting();
  }

  #onSetting(id: number, value: number): void {
    if (id === SETTING.MAX_CONCURRENT_STREAMS) this.#streamsMax = value;
    else if (id === SETTING.MAX_FRAME_SIZE) this.#payloadMax = Math.max(value, PAYLOAD_BYTES_MAX);
    else if (id === SETTING.INITIAL_WINDOW_SIZE) {
      if (value > WINDOW_BYTES_MAX)
        throw new ProtocolError('received a window that is too large', CODE.FLOW_CONTROL_ERROR);
      for (const stream of this.#streams.values()) stream.sendWindow += value - this.#streamWindow;
      this.#streamWindow = value;
    }
  }

  #pumpAll(): void {
    for (const stream of [...this.#streams.values()]) this.pump(stream);
  }

  #onPing({ flags, payload }: Frame): void {
    if ((flags & FLAG.ACK) !== 0) this.#pings.shift()?.();
    else this.#send(frame(FRAME.PING, FLAG.ACK, 0, payload));
  }

  #onGoaway(payload: Buffer): void {
    if (payload.length < 8) throw new ProtocolError('received a GOAWAY that is cut short');
    const last = payload.readUInt32BE(0) & STREAM_MAX;
    const code = payload.readUInt32BE(4);
    this.#isClosing = true;
    const refused = [...this.#streams.values()].filter(({ id }) => id > last);
    for (const stream of [...refused, ...this.#waiting.keys()])
      this.#end(stream, CODE.REFUSED_STREAM);
    this.#events.onGoaway();
    if (code !== CODE.NO_ERROR) this.destroy(`the server closed the connection with code ${code}`);
    else this.#endIfIdle();
  }

  #onWindowUpdate(id: number, bytes: number): void {
    if (id === 0) {
      this.#sendWindow += bytes;
      this.#pumpAll();
      return;
    }
    const stream = this.#streamOf(id);
    if (stream === undefined) return;
    stream.sendWindow += bytes;
    this.pump(stream);
  }
}

/** Returns the number of a frame that has one. @throws ProtocolError */
function numberOf(payload: Buffer): number {
  if (payload.length === 4) return payload.readUInt32BE(0);
  throw new ProtocolError('received a frame that is cut short', CODE.FRAME_SIZE_ERROR);
}
