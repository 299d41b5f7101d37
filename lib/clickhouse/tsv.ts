/** Encodes rows in ClickHouse's TabSeparated format, byte for byte. */
import { bytesFromText } from '../common/text/byte-text.ts';
import { escapeTsv } from '../common/text/tsv-text.ts';

export type Field =
  | string
  | number
  | bigint
  | boolean
  | null
  | ReadonlyMap<string, string | bigint>;

/** Encodes a row. Texts are in the form of byte-text.ts; maps are Map(String, String) or Map(String, Int64). */
export function tsvRow(fields: readonly Field[]): Buffer {
  return bytesFromText(`${fields.map(fieldText).join('\t')}\n`);
}

function fieldText(field: Field): string {
  if (field === null) return '\\N';
  if (typeof field === 'string') return escapeTsv(field);
  if (typeof field !== 'object') return String(field);
  const pairs = [...field].map(([key, value]) => {
    return `${quoted(key)}:${typeof value === 'bigint' ? value : quoted(value)}`;
  });
  return `{${pairs.join(',')}}`;
}

function quoted(text: string): string {
  return `'${escapeTsv(text).replaceAll("'", "\\'")}'`;
}
