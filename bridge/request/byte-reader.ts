/** Reads numbers and strings of ClickHouse's binary formats (Native, RowBinary). */
import { BigtraceError } from '../../lib/common/errors.ts';

/** The bytes end too early: the rest has not arrived, or the stream was cut short. */
export class CutShort extends BigtraceError {
  /** The number of bytes that the reader needs at least, counted from its start. */
  readonly bytesWanted: number;

  constructor(bytesWanted: number) {
    super('internal', 'malformed request: it is incomplete');
    this.bytesWanted = bytesWanted;
  }
}

export class ByteReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  /** Reads an unsigned LEB128 number. @throws CutShort */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new CutShort(this.at);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Reads a string after its length. @throws CutShort */
  string(): Buffer {
    const length = this.number();
    const to = this.at + length;
    if (to > this.bytes.length) throw new CutShort(to);
    const string = this.bytes.subarray(this.at, to);
    this.at = to;
    return string;
  }
}
