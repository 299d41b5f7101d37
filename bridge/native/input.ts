/** Reads the Native blocks that ClickHouse writes: columns of strings, or of arrays of strings. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { ByteReader, CutShort } from '../request/byte-reader.ts';

const STRING = 'String';
const STRINGS = 'Array(String)';

/** The values of one column, by row. */
export type StringColumn = Buffer[] | Buffer[][];

/**
 * Returns the first block that has rows. `bytes` is the whole stream.
 * @throws internal if the block is cut short, has columns of other types, or is missing
 */
export function firstBlock(bytes: Buffer): StringColumn[] {
  const reader = new NativeReader(bytes);
  while (reader.more) {
    const columns = reader.number();
    const rows = reader.number();
    const block = Array.from({ length: columns }, () => reader.column(rows));
    if (rows > 0) return block;
  }
  throw malformed('there is no row');
}

/**
 * Yields the strings of a stream of blocks with one column: those that each chunk completes.
 * @throws internal if the stream ends within a block or has other columns; limit_exceeded if a string is too long
 */
export async function* stringsOfBlocks(
  input: AsyncIterable<Buffer>,
  stringBytesMax: number,
): AsyncGenerator<Buffer[]> {
  let pending: Buffer = Buffer.alloc(0);
  /** Rows of the current block that have not been read. */
  let rows = 0;
  for await (const chunk of input) {
    const reader = new NativeReader(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
    const strings: Buffer[] = [];
    let at = 0;
    try {
      for (; reader.more; at = reader.at) {
        if (rows > 0) {
          strings.push(reader.string());
          rows--;
        } else rows = reader.stringBlockHead();
      }
    } catch (error) {
      if (!(error instanceof CutShort)) throw error;
    }
    pending = reader.bytes.subarray(at);
    if (pending.length > stringBytesMax)
      throw new BigtraceError(
        'limit_exceeded',
        `an address in the list is longer than ${stringBytesMax} bytes`,
      );
    if (strings.length > 0) yield strings;
  }
  if (rows > 0 || pending.length > 0) throw malformed('the list of traces is incomplete');
}

class NativeReader extends ByteReader {
  column(rows: number): StringColumn {
    this.string(); // the name of the column
    const type = this.string().toString();
    if (type === STRING) return this.#strings(rows);
    if (type !== STRINGS) throw malformed(`a column is ${type}`);
    // Array(String) has the end index of each array, then the strings of all arrays.
    const ends = Array.from({ length: rows }, () => this.#long());
    const strings = this.#strings(ends.at(-1) ?? 0);
    return ends.map((end, row) => strings.slice(ends[row - 1] ?? 0, end));
  }

  /** Reads what precedes the strings of a block with one column. @returns the number of strings */
  stringBlockHead(): number {
    const columns = this.number();
    const rows = this.number();
    this.string();
    const type = this.string().toString();
    if (columns !== 1 || type !== STRING)
      throw malformed(`the list has ${columns} columns, ${type}`);
    return rows;
  }

  #strings(count: number): Buffer[] {
    const strings: Buffer[] = [];
    while (strings.length < count) strings.push(this.string());
    return strings;
  }

  #long(): number {
    if (this.at + 8 > this.bytes.length) throw new CutShort(this.at + 8);
    const value = this.bytes.readUInt32LE(this.at) + this.bytes.readUInt32LE(this.at + 4) * 2 ** 32;
    this.at += 8;
    return value;
  }
}

function malformed(problem: string): BigtraceError {
  return new BigtraceError('internal', `malformed request: ${problem}`);
}
