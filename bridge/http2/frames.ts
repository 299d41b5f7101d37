/** The frames of HTTP/2 (RFC 9113). */

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;

/** Codes of RST_STREAM and GOAWAY. */
export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
} as const;

export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
} as const;

/** The longest payload unless a side allows more, as this client does not. */
export const PAYLOAD_BYTES_MAX = 16_384;

export const HEAD_BYTES = 9;

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** The server broke the protocol. */
export class ProtocolError extends Error {
  readonly code: number;

  constructor(message: string, code: number = CODE.PROTOCOL_ERROR) {
    super(message);
    this.code = code;
  }
}

/** Returns the head of a frame. */
export function frameHead(type: number, flags: number, stream: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHead(type, flags, stream, payload.length), payload]);
}

/** Returns a frame whose payload is one number of four bytes. */
export function numberFrame(type: number, stream: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, stream, payload);
}

/** Returns a frame of settings. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * 6);
  for (const [at, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, at * 6);
    payload.writeUInt32BE(value, at * 6 + 2);
  }
  return frame(FRAME.SETTINGS, 0, 0, payload);
}

/** Yields id and value of each setting. @throws ProtocolError */
export function* settingsOf(payload: Buffer): Generator<[id: number, value: number]> {
  if (payload.length % 6 !== 0)
    throw new ProtocolError('received settings that are cut short', CODE.FRAME_SIZE_ERROR);
  for (let at = 0; at < payload.length; at += 6)
    yield [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
}

/** Cuts received data into frames. */
export class FrameReader {
  /** The beginning of a frame that is not complete. */
  #held = Buffer.alloc(0);

  /** Yields the frames that this piece completes: views of it where possible. @throws ProtocolError */
  *add(piece: Buffer): Generator<Frame> {
    let at = 0;
    while (this.#held.length > 0) {
      const needed = bytesNeeded(this.#held);
      if (this.#held.length === needed) {
        yield frameOf(this.#held);
        this.#held = Buffer.alloc(0);
        break;
      }
      const more = piece.subarray(at, at + needed - this.#held.length);
      if (more.length === 0) return;
      at += more.length;
      this.#held = Buffer.concat([this.#held, more]);
    }
    while (at < piece.length) {
      const rest = piece.subarray(at);
      const needed = bytesNeeded(rest);
      if (rest.length < needed) {
        this.#held = Buffer.from(rest);
        return;
      }
      yield frameOf(rest.subarray(0, needed));
      at += needed;
    }
  }
}

/** Returns the length of the frame that begins here; that of its head while this is not complete. */
function bytesNeeded(bytes: Buffer): number {
  if (bytes.length < HEAD_BYTES) return HEAD_BYTES;
  const length = bytes.readUIntBE(0, 3);
  if (length <= PAYLOAD_BYTES_MAX) return HEAD_BYTES + length;
  throw new ProtocolError(`received a frame of ${length} bytes`, CODE.FRAME_SIZE_ERROR);
}

function frameOf(bytes: Buffer): Frame {
  return {
    type: bytes[3] ?? 0,
    flags: bytes[4] ?? 0,
    stream: bytes.readUInt32BE(5) & 0x7fffffff,
    payload: bytes.subarray(HEAD_BYTES),
  };
}

/** Returns the payload of DATA or HEADERS without padding and priority. @throws ProtocolError */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const isPadded = (flags & FLAG.PADDED) !== 0;
  const hasPriority = type === FRAME.HEADERS && (flags & FLAG.PRIORITY) !== 0;
  const from = (isPadded ? 1 : 0) + (hasPriority ? 5 : 0);
  const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (to < from) throw new ProtocolError('received more padding than data');
  return payload.subarray(from, to);
}
