/** Reads strings in ClickHouse's format RowBinary, which keeps every byte. */
import { textFromBytes } from '../common/text/byte-text.ts';

/**
 * Yields the rows of a RowBinary stream with `columns` String columns: those that each chunk completes.
 * @throws Error if the stream ends within a row
 */
export async function* rowBinaryStrings(
  stream: AsyncIterable<Buffer>,
  columns: number,
): AsyncGenerator<string[][]> {
  let rest: Buffer = Buffer.alloc(0);
  let row: string[] = [];
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const rows: string[][] = [];
    let at = 0;
    for (;;) {
      const value = stringAt(bytes, at);
      if (value === undefined) break;
      at = value.end;
      row.push(textFromBytes(bytes.subarray(value.from, value.end)));
      if (row.length < columns) continue;
      rows.push(row);
      row = [];
    }
    rest = bytes.subarray(at);
    if (rows.length > 0) yield rows;
  }
  if (rest.length > 0 || row.length > 0) throw new Error('ClickHouse sent an incomplete row');
}

/** Finds the string at `at`: its length as LEB128, then its bytes. Undefined if it is incomplete. */
function stringAt(bytes: Buffer, at: number): { from: number; end: number } | undefined {
  let length = 0;
  let scale = 1;
  for (let from = at; from < bytes.length; from++) {
    const byte = bytes[from] ?? 0;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      const end = from + 1 + length;
      return end <= bytes.length ? { from: from + 1, end } : undefined;
    }
    scale *= 128;
  }
  return undefined;
}
