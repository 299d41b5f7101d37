/** Reads ClickHouse's format RowBinaryWithNamesAndTypes, which represents every value exactly. */
import { bytes, type Cell, double, integer, NULL } from './canonical.ts';

export interface Column {
  /** The bytes of the name, as latin1. */
  name: string;
  type: string;
}

export interface Table {
  columns: Column[];
  rows: Cell[][];
}

export function readRowBinary(result: Buffer): Table {
  if (result.length === 0) return { columns: [], rows: [] };
  const reader = new Reader(result);
  const count = reader.length();
  const names = Array.from({ length: count }, () => reader.string().toString('latin1'));
  const columns = names.map((name) => ({ name, type: reader.string().toString('latin1') }));
  const cells = columns.map(({ type }) => cellReader(type));
  const rows: Cell[][] = [];
  while (!reader.ended) rows.push(cells.map((read) => read(reader)));
  return { columns, rows };
}

function cellReader(type: string): (reader: Reader) => Cell {
  const inner = /^Nullable\((.*)\)$/.exec(type)?.[1];
  if (inner !== undefined) {
    const read = cellReader(inner);
    return (reader) => (reader.byte() === 1 ? NULL : read(reader));
  }
  const read = VALUES[type];
  if (read === undefined) throw new Error(`the baseline cannot read a column of type ${type}`);
  return read;
}

const VALUES: Record<string, (reader: Reader) => Cell> = {
  Nothing: () => NULL,
  String: (reader) => bytes('S', reader.string()),
  Int64: (reader) => integer(reader.take(8).readBigInt64LE()),
  UInt64: (reader) => integer(reader.take(8).readBigUInt64LE()),
  Float64: (reader) => double(reader.take(8).readDoubleLE()),
  UInt8: (reader) => integer(BigInt(reader.byte())),
  Bool: (reader) => integer(BigInt(reader.byte())),
};

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  length(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  string(): Buffer {
    return this.take(this.length());
  }

  take(length: number): Buffer {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error('the result ends within a value');
    return this.#bytes.subarray(from, this.#at);
  }
}
