/** The rows that scripts of a sweep return, in both formats of the bridge. */
import { escapeTsv } from '../../../lib/common/text/tsv-text.ts';

export type Kind = 'rows' | 'metrics';

interface DataFile {
  kind: Kind;
  format: 'Native' | 'CustomSeparated';
  /** Relative to the directory in which scripts start, so that the scripts have the same text in every engine. */
  name: string;
  bytes: Buffer;
}

/** Values at the limits of their types, and texts that other formats would have to escape. */
const INTEGERS = [9223372036854775807n, -9223372036854775808n, null, 0n, -1n, 9007199254740993n];
const DOUBLES = [1e300, Number.POSITIVE_INFINITY, null, Number.NEGATIVE_INFINITY, Number.NaN, 0.1];
const TEXTS = ["tab\t'quote\\", '\xff\xfe\0', null, '', 'line\r\n"end"', '\\N'];
const BOOLS = [true, false, true, false, true, false];
const ADDRESSES = ['/local/a', '/local/b\t', '/local/a', '/local/a', '/local/b\t', '/local/a'];

const METRIC_IDS = ['a', 'b', '', 'c', 'd', 'e'];
const DIMENSIONS = ['{"n":1}', '{}', '', "it's", '\t', 'x'];

export const DATA_FILES: readonly DataFile[] = [
  {
    kind: 'rows',
    format: 'Native',
    name: 'sweep-rows',
    bytes: nativeBlock([
      addressColumn(),
      column('i', 'Nullable(Int64)', [nullsOf(INTEGERS), longs(INTEGERS.map((n) => n ?? 0n))]),
      column('d', 'Nullable(Float64)', doubles()),
      column('s', 'Nullable(String)', [
        nullsOf(TEXTS),
        ...TEXTS.map((text) => counted(text ?? '')),
      ]),
      column('b', 'Bool', [Buffer.from(BOOLS.map(Number))]),
    ]),
  },
  {
    kind: 'metrics',
    format: 'Native',
    name: 'sweep-metrics',
    bytes: nativeBlock([
      addressColumn(),
      column('metric_id', 'String', METRIC_IDS.map(counted)),
      column('dimensions', 'String', DIMENSIONS.map(counted)),
      column('value', 'Nullable(Float64)', doubles()),
    ]),
  },
  {
    kind: 'rows',
    format: 'CustomSeparated',
    name: 'sweep-text-rows',
    bytes: textRows([ADDRESSES, INTEGERS, DOUBLES, TEXTS, BOOLS, BOOLS.map(() => '')]),
  },
  {
    kind: 'metrics',
    format: 'CustomSeparated',
    name: 'sweep-text-metrics',
    bytes: textRows([ADDRESSES, METRIC_IDS, DIMENSIONS, DOUBLES]),
  },
];

/** Rows in the format of bridge/tsv/rows.ts: each begins with its mark. */
function textRows(columns: readonly (readonly unknown[])[]): Buffer {
  const lines = ADDRESSES.map((_, at) => {
    const fields = columns.map((values) => textOf(values[at]));
    return `${['0', ...fields].join('\t')}\n`;
  });
  return Buffer.from(lines.join(''), 'latin1');
}

function textOf(value: unknown): string {
  if (value === null) return '\\N';
  if (typeof value === 'string') return escapeTsv(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  return String(value);
}

/** Rows in the format of bridge/native/rows.ts, after a heartbeat block and before the first byte of the next. */
function nativeBlock(columns: readonly Buffer[]): Buffer {
  const beat = Buffer.from('\x01\x03_hb\x05UInt8\x01', 'latin1');
  const sizes = Buffer.of(columns.length, ADDRESSES.length);
  return Buffer.concat([beat, sizes, ...columns, Buffer.of(1)]);
}

function addressColumn(): Buffer {
  const distinct = [...new Set(ADDRESSES)];
  return column('_trace_address', 'LowCardinality(String)', [
    longs([1n, 0x601n, BigInt(distinct.length)]), // 0x601: indexes of 16 bits
    ...distinct.map(counted),
    longs([BigInt(ADDRESSES.length)]),
    Buffer.from(Uint16Array.from(ADDRESSES, (address) => distinct.indexOf(address)).buffer),
  ]);
}

function doubles(): Buffer[] {
  return [nullsOf(DOUBLES), Buffer.from(new Float64Array(DOUBLES.map(Number)).buffer)];
}

function column(name: string, type: string, values: Buffer[]): Buffer {
  return Buffer.concat([counted(name), counted(type), ...values]);
}

function counted(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);
}

function longs(values: readonly bigint[]): Buffer {
  return Buffer.from(new BigInt64Array(values).buffer);
}

function nullsOf(values: readonly unknown[]): Buffer {
  return Buffer.from(values.map((value) => (value === null ? 1 : 0)));
}
