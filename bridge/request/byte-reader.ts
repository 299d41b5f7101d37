/** Lengths and texts as ClickHouse's binary formats have them. */
import { BigtraceError } from '../../lib/common/errors.ts';

/** The rest has not come, or never will. */
export class CutShort extends BigtraceError {
  /** Of the reader's bytes, so many are needed at least. */
  readonly bytesWanted: number;

  constructor(bytesWanted: number) {
    super('internal', 'malformed request: it was cut short');
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

  /** Seven bits a byte. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new CutShort(this.at);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  string(): Buffer {
    const length = this.number();
    const to = this.at + length;
    if (to > this.bytes.length) throw new CutShort(to);
    const string = this.bytes.subarray(this.at, to);
    this.at = to;
    return string;
  }
}
