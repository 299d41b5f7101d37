import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { doubleText } from '../../lib/common/text/double-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { encodeTable } from '../../lib/query-result/testing.ts';
import { anyCells, chunk } from '../cells/testing-cells.ts';
import { Table, TraceRows } from '../cells/trace-rows.ts';
import { parseStructure, type TableColumn } from '../columns/structure.ts';
import { Output } from '../output.ts';
import { fieldsOf, unescaped } from './input.ts';
import { TsvRows } from './rows.ts';

function columnsOf(structure: string): TableColumn[] {
  return parseStructure(`_hb UInt8, _trace_address String, ${structure}`);
}

function outputTo(chunks: Buffer[]): Output {
  return new Output(
    new Writable({
      write(chunk, _, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    }),
  );
}

const TRACE = Buffer.from('/local/a\tb');

/** Writes the results of one trace, and returns for each line the fields behind `_trace_address`. */
async function linesFor(
  columns: TableColumn[],
  results: Buffer[],
  table = new Table(columns.map(({ name }) => name)),
): Promise<Buffer[][]> {
  const chunks: Buffer[] = [];
  const writer = new TsvRows(columns, outputTo(chunks));
  const rows = new TraceRows(TRACE, table, writer.trace(TRACE));
  for (const result of results) for (const _ of rows.write(result)) await writer.flush();
  await writer.finish();
  rows.end();
  const bytes = Buffer.concat(chunks);
  const lines: Buffer[][] = [];
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(10, from);
    const [heartbeat, trace, ...fields] = fieldsOf(bytes.subarray(from, newline));
    expect(Buffer.from(heartbeat ?? []).toString()).toBe('0');
    expect(unescaped(trace ?? Buffer.of())).toEqual(TRACE);
    lines.push(fields.map((field) => Buffer.from(field)));
    from = newline + 1;
  }
  return lines;
}

/** The expected field for a value, computed without the encoder's optimizations. */
function fieldOf(value: CellValue): Buffer {
  if (value === null) return Buffer.from('\\N');
  if (typeof value === 'bigint') return Buffer.from(value.toString());
  if (typeof value === 'number') return Buffer.from(doubleText(value));
  const bytes = typeof value === 'string' ? bytesFromText(value) : Buffer.from(value);
  const text = bytes.toString('latin1').replace(/[\0\t\n\r\\]/g, (char) => {
    const code = { '\0': '0', '\t': 't', '\n': 'n', '\r': 'r', '\\': '\\' }[char];
    return `\\${code}`;
  });
  return Buffer.from(text, 'latin1');
}

test('any cells are written as fields that ClickHouse reads as the same values', async () => {
  await fc.assert(
    fc.asyncProperty(anyCells, async (encoded) => {
      const { names, cells } = encoded;
      const structure = names.map((name) => `${name} Nullable(String)`);
      const expected = chunk(cells, names.length).map((row) => row.map(fieldOf));
      expect(await linesFor(columnsOf(structure.join()), encodeTable(encoded))).toEqual(expected);
      // With the columns of the table in reverse order, columns match by name.
      const reversed = expected.map((row) => row.toReversed());
      const columns = columnsOf(structure.toReversed().join());
      expect(await linesFor(columns, encodeTable(encoded))).toEqual(reversed);
    }),
    { numRuns: 100 },
  );
});

test('a text of more than 1 MiB, and more rows than the output buffers, are written completely', async () => {
  const huge = 'x\t\\é'.repeat(2 ** 18);
  const cells: CellValue[] = Array.from({ length: 20_000 }, (_, index) => BigInt(index) ** 4n);
  cells[5000] = huge;
  cells[5001] = Uint8Array.from(Buffer.from(huge));
  const encoded = { names: ['a'], cells, batchCells: 6000, resultBatches: 1 };
  const lines = await linesFor(columnsOf('a String'), encodeTable(encoded));
  expect(lines).toHaveLength(cells.length);
  expect(unescaped(lines[5000]?.[0] ?? Buffer.of()).equals(Buffer.from(huge))).toBe(true);
  expect(unescaped(lines[5001]?.[0] ?? Buffer.of()).equals(Buffer.from(huge))).toBe(true);
  expect(lines.at(-1)?.[0]?.toString()).toBe(String(19_999n ** 4n));
});

test('doubleText returns text that reads back as the same double', () => {
  fc.assert(
    fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (value) => {
      expect(Object.is(Number(doubleText(value)), value)).toBe(true);
    }),
  );
  expect([Number.NaN, 1 / 0, -1 / 0, -0].map(doubleText)).toEqual(['nan', 'inf', '-inf', '-0']);
});

async function convert(type: string, value: CellValue): Promise<string> {
  const encoded = { names: ['c'], cells: [value], batchCells: 1, resultBatches: 1 };
  try {
    const [line] = await linesFor(columnsOf(`c ${type}`), encodeTable(encoded));
    return line?.[0]?.toString() ?? 'no row';
  } catch (error) {
    return String(error).replace(/^BigtraceError: \[\/local\/a\\x09b\]: column c is /, '');
  }
}

test.each<[string, CellValue, string]>([
  ['Int64', 2n ** 63n - 1n, '9223372036854775807'],
  ['Nullable(Int64)', -(2n ** 63n), '-9223372036854775808'],
  ['Nullable(BLOB)', null, '\\N'],
  ['LowCardinality(Nullable(String))', null, '\\N'],
  ['Int8', -128n, '-128'],
  ['UInt8', 255n, '255'],
  ['UInt64', 2n ** 63n - 1n, '9223372036854775807'],
  ['Int32', 7, '7'],
  ['UInt64', 2 ** 63, '9223372036854775808'],
  ['Int64', -(2 ** 63), '-9223372036854775808'],
  ['Float64', 2n ** 60n, '1152921504606846976'],
  ['Float32', 16_777_216n, '16777216'],
  ['Float32', 0.1, '0.1'],
  ['Float32', Number.NEGATIVE_INFINITY, '-inf'],
  ['Bool', 1n, 'true'],
  ['Bool', 0n, 'false'],
  ['String', 1.5, '1.5'],
])('%s holds %s', async (type, value, field) => {
  expect(await convert(type, value)).toBe(field);
});

const HOW = '(bigtrace_as takes a structure), or CAST it in the script';

test.each<[string, CellValue, string]>([
  ['Int64', null, `cannot hold NULL; declare it as Nullable(Int64) ${HOW}`],
  ['Int64', 'a\nb', `cannot hold text 'a\\x0ab'; declare it as String ${HOW}`],
  ['Int64', 1.5, `cannot hold number 1.5; declare it as Float64 ${HOW}`],
  ['Int64', 2 ** 63, `cannot hold number 9223372036854776000; declare it as Float64 ${HOW}`],
  ['Int64', Number.NaN, `cannot hold number nan; declare it as Float64 ${HOW}`],
  ['Int64', Uint8Array.of(1, 2), `cannot hold a blob of 2 bytes; declare it as String ${HOW}`],
  ['Int8', 128n, `cannot hold integer 128; declare it as a wider type, such as Int64 ${HOW}`],
  ['UInt8', -1n, `cannot hold integer -1; declare it as Int64 ${HOW}`],
  ['UInt64', -1n, `cannot hold integer -1; declare it as Int64 ${HOW}`],
  ['UInt32', 2n ** 62n, `cannot hold integer 4611686018427387904; declare it as Int64 ${HOW}`],
  ['Float64', 2n ** 53n + 1n, `cannot hold integer 9007199254740993; declare it as String ${HOW}`],
  ['Float32', 16_777_217n, `cannot hold integer 16777217; declare it as String ${HOW}`],
  ['Float32', 1e300, `cannot hold number 1e+300; declare it as Float64 ${HOW}`],
  ['Bool', 2n, `cannot hold integer 2; declare it as a wider type, such as Int64 ${HOW}`],
  ['Bool', 'x'.repeat(100), `cannot hold text '${'x'.repeat(80)}…'; declare it as String ${HOW}`],
])('%s refuses %s', async (type, value, message) => {
  expect(await convert(type, value)).toBe(`${type} and ${message}`);
});

test('a trace whose columns differ from those of the first trace is an error', async () => {
  const columns = columnsOf('a Int64');
  const table = new Table(['a']);
  const one = { cells: [1n], batchCells: 1, resultBatches: 1 };
  await linesFor(columns, encodeTable({ ...one, names: ['a'] }), table);
  await expect(linesFor(columns, encodeTable({ ...one, names: ['b'] }), table)).rejects.toThrow(
    '[/local/a\\x09b]: columns (b) differ from those of /local/a\\x09b (a)',
  );
});

test('rows of heartbeats and of failed traces have a value in each column', async () => {
  const chunks: Buffer[] = [];
  const columns = columnsOf('a Int64, b Nullable(Float64), c String, d Bool, e Nullable(String)');
  const writer = new TsvRows(columns, outputTo(chunks));
  writer.heartbeat();
  writer.failure(Buffer.from('/local/a\tb'));
  await writer.finish();
  expect(Buffer.concat(chunks).toString()).toBe(
    '1\t\t0\t\\N\t\tfalse\t\\N\n2\t/local/a\\tb\t0\t\\N\t\tfalse\t\\N\n',
  );
});

test('a result that ends before its last batch is an error', async () => {
  const [first] = encodeTable({ names: ['a'], cells: [1n, 2n], batchCells: 1, resultBatches: 1 });
  await expect(linesFor(columnsOf('a Int64'), [first ?? Buffer.of()])).rejects.toThrow(
    'the result ended before its last batch',
  );
});
