/** Rows for ClickHouse's TabSeparated format, byte-exact, and strings of its RowBinary format. */
import { bytesFromText, textFromBytes } from '../common/byte-text.ts';

export type Field = string | number | bigint | null | ReadonlyMap<string, string>;

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
  "'": "\\'",
};

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r\0']/g, (char) => ESCAPES[char] ?? char);
}

function fieldText(field: Field): string {
  if (field === null) return '\\N';
  if (typeof field === 'string') return escaped(field);
  if (typeof field !== 'object') return String(field);
  const pairs = [...field].map(([key, value]) => `'${escaped(key)}':'${escaped(value)}'`);
  return `{${pairs.join(',')}}`;
}

/** Texts are as byte-text.ts makes them; maps are Map(String, String). */
export function tsvRow(fields: readonly Field[]): Buffer {
  return bytesFromText(`${fields.map(fieldText).join('\t')}\n`);
}

/** A ClickHouse string literal. */
export function quoted(text: string): string {
  return `'${escaped(text)}'`;
}

/** The strings of a RowBinary stream of `columns` String columns, row by row, in batches as they come. */
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
  if (rest.length > 0 || row.length > 0) throw new Error('ClickHouse cut a row short');
}

/** A string is its length as LEB128 and then its bytes; undefined where not all of it is there. */
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
