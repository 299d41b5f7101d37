/** Encodes rows in ClickHouse's TabSeparated format, byte for byte. */
import { bytesFromText } from '../lib/common/text/byte-text.ts';

export type Field = string | number | bigint | null | ReadonlyMap<string, string | bigint>;

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
  const pairs = [...field].map(
    ([key, value]) =>
      `'${escaped(key)}':${typeof value === 'bigint' ? value : `'${escaped(value)}'`}`,
  );
  return `{${pairs.join(',')}}`;
}

/** Encodes a row. Texts are in the form of byte-text.ts; maps are Map(String, String) or Map(String, Int64). */
export function tsvRow(fields: readonly Field[]): Buffer {
  return bytesFromText(`${fields.map(fieldText).join('\t')}\n`);
}

/**
 * Returns a ClickHouse string literal. SQL is sent as text, so bytes that are not UTF-8 are written as escapes such as
 * `\xE9`.
 */
export function quoted(text: string): string {
  const inside = escaped(text);
  return text.isWellFormed() ? `'${inside}'` : `'${inHex(bytesFromText(inside))}'`;
}

function inHex(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
