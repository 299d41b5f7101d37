/** For tests: reads the Native blocks that the bridge writes, as ClickHouse does. */
import { expect } from 'vitest';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';

export interface NativeBlock {
  [name: string]: { type: string; values: CellValue[] };
}

export const HEARTBEAT: NativeBlock = { _hb: { type: 'UInt8', values: [1n] } };

/** Returns all blocks. @throws RangeError if the last one is cut short */
export function nativeBlocks(bytes: Buffer): NativeBlock[] {
  const reader = new Reader(bytes);
  const blocks: NativeBlock[] = [];
  while (reader.at < bytes.length) blocks.push(reader.block());
  return blocks;
}

/** Returns the rows of the blocks without the column `_hb`, each with the address of its trace first. */
export function nativeRows(bytes: Buffer): CellValue[][] {
  return nativeBlocks(bytes)
    .filter((block) => block['_hb'] === undefined)
    .flatMap((block) => {
      const columns = Object.values(block).map(({ values }) => values);
      return (columns[0] ?? []).map((_, row) => columns.map((values) => values[row] ?? null));
    });
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  block(): NativeBlock {
    const columns = this.#length();
    const rows = this.#length();
    return Object.fromEntries(
      Array.from({ length: columns }, () => {
        const name = textFromBytes(this.#text());
        const type = this.#text().toString();
        return [name, { type, values: this.#values(type, rows) }];
      }),
    );
  }

  #values(type: string, rows: number): CellValue[] {
    const [, inner] = /^Nullable\((.*)\)$/.exec(type) ?? [];
    if (inner !== undefined) {
      const nulls = Array.from({ length: rows }, () => this.#take(1)[0] === 1);
      return this.#values(inner, rows).map((value, row) => (nulls[row] ? null : value));
    }
    if (type === 'LowCardinality(String)') return this.#lowCardinality(rows);
    return Array.from({ length: rows }, () => this.#value(type));
  }

  /** Reads version 1 with its own keys and 16-bit numbers. */
  #lowCardinality(rows: number): CellValue[] {
    expect([this.#word(), this.#word()]).toEqual([1n, 0x601n]);
    const keys = Array.from({ length: Number(this.#word()) }, () => textFromBytes(this.#text()));
    expect(this.#word()).toBe(BigInt(rows));
    return Array.from({ length: rows }, () => keys[this.#take(2).readUInt16LE()] ?? null);
  }

  #value(type: string): CellValue {
    if (type === 'String') return new Uint8Array(this.#text());
    if (type === 'Float64') return this.#take(8).readDoubleLE();
    if (type === 'Float32') return this.#take(4).readFloatLE();
    if (type === 'Bool') return BigInt(this.#take(1).readUInt8());
    const [, unsigned, bits] = /^(U?)Int(\d+)$/.exec(type) ?? [];
    const bytes = this.#take(Number(bits) / 8);
    const word = Buffer.alloc(8, unsigned === '' && (bytes.at(-1) ?? 0) >= 0x80 ? 0xff : 0);
    bytes.copy(word);
    return unsigned === '' ? word.readBigInt64LE() : word.readBigUInt64LE();
  }

  #word(): bigint {
    return this.#take(8).readBigUInt64LE();
  }

  #text(): Buffer {
    return this.#take(this.#length());
  }

  #length(): number {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#take(1).readUInt8();
      length += (byte % 128) * scale;
      if (byte < 128) return length;
    }
  }

  #take(count: number): Buffer {
    const to = this.at + count;
    if (!(to <= this.#bytes.length)) throw new RangeError(`the block is cut short at ${this.at}`);
    const taken = this.#bytes.subarray(this.at, to);
    this.at = to;
    return taken;
  }
}
