/** Types of the columns that manifests and extra SQL add to bigtrace.traces. The values are stored as text. */

/** Kinds of values in a column. A `wide integer` lies beyond ±2^53, where a Float64 would round it. */
const VALUE_KINDS = ['integer', 'wide integer', 'double', 'text'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export type ColumnType = 'Int64' | 'Float64' | 'String';
export const COLUMN_TYPES: readonly ColumnType[] = ['Int64', 'Float64', 'String'];

const INT64_MAX = 2n ** 63n - 1n;

/** Returns the narrowest type that represents all values of these kinds exactly. */
export function columnType(kinds: ReadonlySet<ValueKind>): ColumnType {
  if (kinds.has('text')) return 'String';
  if (!kinds.has('double')) return kinds.size === 0 ? 'String' : 'Int64';
  return kinds.has('wide integer') ? 'String' : 'Float64';
}

export function kindOfInteger(value: bigint): ValueKind {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? 'integer' : 'wide integer';
}

/**
 * Classifies a text of a CSV file. It is a number only if it is written in the usual form: `0042` (a serial number),
 * `1e5` (a digest) and `1.10` (a version) would lose characters and are text.
 */
export function kindOfText(text: string): ValueKind {
  if (/^(0|-?[1-9]\d{0,18})$/.test(text)) {
    const value = BigInt(text);
    return value < -INT64_MAX - 1n || value > INT64_MAX ? 'text' : kindOfInteger(value);
  }
  if (!/^-?(0|[1-9]\d*)\.\d+(e[-+]?\d+)?$/i.test(text)) return 'text';
  return isUsualDouble(text) ? 'double' : 'text';
}

/** Classifies a number of a JSON file by its source text. */
export function kindOfJsonNumber(text: string): ValueKind {
  const kind = kindOfText(text);
  if (kind !== 'text') return kind;
  return isUsualDouble(text) || /e/i.test(text) ? 'double' : 'text';
}

/** Whether a Float64 prints with the same digits: in JavaScript's form, or with `.0` appended as Python does. */
function isUsualDouble(text: string): boolean {
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  const digits = (one: string): string => one.toLowerCase().replace('e+', 'e');
  const shown = digits(Object.is(value, -0) ? '-0' : String(value));
  return [shown, `${shown}.0`, digits(value.toExponential())].includes(digits(text));
}
