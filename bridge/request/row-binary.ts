/**
 * Reads the rows of `bigtrace schema`: one Array(String), then Strings, in ClickHouse's format RowBinary. No setting of
 * ClickHouse, and so no user, can change how it writes them.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { ByteReader, CutShort } from './byte-reader.ts';
import type { RequestRow } from './request.ts';

/**
 * Yields the rows of a stream: those that each chunk completes. A row has `textCount` Strings behind its array.
 * @throws internal if the stream ends within a row; limit_exceeded if a row is longer than `rowBytesMax`
 */
export async function* rowsOfBinary(
  input: AsyncIterable<Buffer>,
  textCount: number,
  rowBytesMax: number,
): AsyncGenerator<RequestRow[]> {
  const row = new RowBuilder(textCount);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let bytesWanted = 1;
  for await (const chunk of input) {
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (row.bytes + pendingBytes > rowBytesMax) throw tooLong(rowBytesMax);
    if (pendingBytes < bytesWanted) continue;
    const { rows, rest, bytesNeeded } = row.read(Buffer.concat(pending));
    pending = [rest];
    pendingBytes = rest.length;
    bytesWanted = bytesNeeded;
    if (rows.length > 0) yield rows;
  }
  if (pendingBytes > 0 || row.bytes > 0) throw new CutShort(bytesWanted);
}

/** Builds rows from chunks. Each part of a row is decoded once, however many chunks the row has. */
class RowBuilder {
  /** Bytes read of the unfinished row. */
  bytes = 0;
  readonly #textCount: number;
  #tracesLeft: number | undefined;
  #row: RequestRow = { traces: [], texts: [] };

  constructor(textCount: number) {
    this.#textCount = textCount;
  }

  /** Returns the rows that end in `bytes`, the unread rest, and the size that the rest needs for the next part. */
  read(bytes: Buffer): { rows: RequestRow[]; rest: Buffer; bytesNeeded: number } {
    const reader = new ByteReader(bytes);
    const rows: RequestRow[] = [];
    for (let at = 0; ; at = reader.at) {
      const rest = bytes.subarray(at);
      if (!reader.more) return { rows, rest, bytesNeeded: 1 };
      try {
        this.#take(reader);
      } catch (error) {
        if (!(error instanceof CutShort)) throw error;
        return { rows, rest, bytesNeeded: error.bytesWanted - at };
      }
      this.bytes += reader.at - at;
      if (this.#tracesLeft !== 0 || this.#row.texts.length < this.#textCount) continue;
      rows.push(this.#row);
      this.#row = { traces: [], texts: [] };
      this.#tracesLeft = undefined;
      this.bytes = 0;
    }
  }

  #take(reader: ByteReader): void {
    if (this.#tracesLeft === undefined) {
      this.#tracesLeft = reader.number();
    } else if (this.#tracesLeft > 0) {
      this.#row.traces.push(reader.string());
      this.#tracesLeft--;
    } else this.#row.texts.push(reader.string());
  }
}

function tooLong(rowBytesMax: number): BigtraceError {
  return new BigtraceError(
    'limit_exceeded',
    `a row of the request is longer than ${rowBytesMax} bytes`,
  );
}
