/** Encodes rows as a QueryResult, for results that the engine does not encode itself. */
import { bytesFromText } from '../common/text/byte-text.ts';
import { CellType } from './cell-type.ts';
import { malformed, WIRE_VARINT } from './wire.ts';
import { bytesField } from './wire-writer.ts';

export type WrittenCell = string | number | null;

/**
 * Encodes rows as one QueryResult.
 * @param columnNames empty unless this is the first result of its trace
 * @param rows strings are in the form of textFromBytes; numbers are written as doubles
 * @param isLast set in the last result of a trace
 * @throws BigtraceError internal when a string contains NUL
 */
export function writeQueryResult(
  columnNames: readonly string[],
  rows: readonly (readonly WrittenCell[])[],
  isLast: boolean,
): Buffer {
  const cells = rows.flat();
  const doubles = cells.filter((cell) => typeof cell === 'number');
  const texts = cells.filter((cell) => typeof cell === 'string');
  if (texts.some((text) => text.includes('\0'))) throw malformed('a text with NUL');
  const batch = Buffer.concat([
    bytesField(1, Buffer.from(cells.map(typeOf))),
    bytesField(3, Buffer.from(Float64Array.from(doubles).buffer)),
    bytesField(5, bytesFromText(texts.map((text) => `${text}\0`).join(''))),
    Buffer.of(6 * 8 + WIRE_VARINT, isLast ? 1 : 0),
  ]);
  return Buffer.concat([
    ...columnNames.map((name) => bytesField(1, bytesFromText(name))),
    bytesField(3, batch),
  ]);
}

function typeOf(cell: WrittenCell): number {
  if (cell === null) return CellType.NULL;
  return typeof cell === 'number' ? CellType.FLOAT64 : CellType.STRING;
}
