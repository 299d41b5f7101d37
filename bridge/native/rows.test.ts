import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { doubleText } from '../../lib/common/text/double-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { encodeTable } from '../../lib/query-result/testing.ts';
import { anyCells, chunk, uniformCells } from '../cells/testing-cells.ts';
import { Table, TraceRows } from '../cells/trace-rows.ts';
import { parseStructure, type TableColumn } from '../columns/structure.ts';
import { Output } from '../output.ts';
import { NativeRows } from './rows.ts';
import { HEARTBEAT, nativeBlocks, nativeRows } from './testing.ts';

/** The byte that bigtrace.sh writes before it starts the bridge. */
const FIRST = Buffer.of(1);

/** A NativeRows writer, and the chunks that it has written. */
class Written {
  readonly columns: TableColumn[];
  readonly writer: NativeRows;
  readonly chunks: Buffer[] = [FIRST];
  readonly #table: Table;

  constructor(structure: string) {
    this.columns = parseStructure(`_hb UInt8, _trace_address String, ${structure}`);
    const stream = new Writable({
      write: (chunk, _, done) => {
        this.chunks.push(Buffer.from(chunk));
        done();
      },
    });
    this.writer = new NativeRows(this.columns, new Output(stream));
    this.#table = new Table(this.columns.map(({ name }) => name));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Writes the rows of some traces, whose results alternate. */
  async rows(traces: Record<string, Buffer[]>): Promise<void> {
    const open = Object.entries(traces).map(([address, results]) => {
      const bytes = Buffer.from(address);
      return { rows: new TraceRows(bytes, this.#table, this.writer.trace(bytes)), results };
    });
    const turns = Math.max(...open.map(({ results }) => results.length));
    for (let turn = 0; turn < turns; turn++)
      for (const { rows, results } of open) {
        const result = results[turn];
        if (result !== undefined) for (const _ of rows.write(result)) await this.writer.flush();
      }
    for (const { rows } of open) rows.end();
  }
}

/** The expected value in a column of type Nullable(String). */
function textOf(value: CellValue): CellValue {
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new Uint8Array(bytesFromText(value));
  const text = typeof value === 'number' ? doubleText(value) : String(value);
  return new Uint8Array(Buffer.from(text));
}

test('any cells of traces whose results alternate are written as rows with the same values', async () => {
  await fc.assert(
    fc.asyncProperty(anyCells, async (encoded) => {
      const { names, cells } = encoded;
      const structure = names.map((name) => `${name} Nullable(String)`);
      const results = encodeTable(encoded);
      const expected = chunk(cells, names.length).map((row) => row.map(textOf));
      for (const columns of [structure, structure.toReversed()]) {
        const written = new Written(columns.join());
        await written.rows({ '/local/a': results, '/local/b\xff': results });
        await written.writer.finish();
        const decoded = nativeRows(written.bytes);
        for (const trace of ['/local/a', '/local/b\xff']) {
          const rows = decoded.filter(([address]) => address === trace).map(([, ...row]) => row);
          expect(columns === structure ? rows : rows.map((row) => row.toReversed())).toEqual(
            expected,
          );
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('uniform columns with NULLs, and rows with other kinds between them, keep their values', async () => {
  const types = { i: 'Int64', d: 'Float64', t: 'String' };
  await fc.assert(
    fc.asyncProperty(uniformCells, async (encoded) => {
      const { names, cells } = encoded;
      const kinds = names.map((name) => name[0] as keyof typeof types);
      const written = new Written(
        names.map((name, at) => `${name} Nullable(${types[kinds[at] ?? 't']})`).join(),
      );
      await written.rows({ t: encodeTable(encoded) });
      await written.writer.finish();
      const expected = chunk(cells, names.length).map((row) =>
        row.map((value, at) => (kinds[at] === 't' ? textOf(value) : value)),
      );
      expect(nativeRows(written.bytes)).toEqual(expected.map((row) => ['t', ...row]));
    }),
    { numRuns: 500 },
  );
});

test('integers and doubles keep every bit', async () => {
  const value = fc.tuple(
    fc.oneof(fc.constant(null), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    fc.oneof(fc.constant(null), fc.double()),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value), async (rows) => {
      const written = new Written('i Nullable(Int64), d Nullable(Float64)');
      const cells: CellValue[] = rows.flat();
      const [batchCells, resultBatches] = [5, 2];
      await written.rows({
        t: encodeTable({ names: ['i', 'd'], cells, batchCells, resultBatches }),
      });
      await written.writer.finish();
      expect(nativeRows(written.bytes)).toEqual(rows.map((row) => ['t', ...row]));
    }),
  );
});

test('a text of more than 1 MiB, and more rows than one block holds, are written completely', async () => {
  const huge = 'x\t\\é'.repeat(2 ** 18);
  const cells: CellValue[] = Array.from({ length: 40_000 }, (_, index) => BigInt(index) ** 4n);
  cells[5000] = huge;
  cells[5001] = Uint8Array.from(Buffer.from(huge));
  const written = new Written('a Nullable(String)');
  await written.rows({
    t: encodeTable({ names: ['a'], cells, batchCells: 6000, resultBatches: 1 }),
  });
  await written.writer.finish();
  const rows = nativeRows(written.bytes);
  const text = (row: number): string => Buffer.from(rows[row]?.[1] as Uint8Array).toString();
  expect(rows).toHaveLength(cells.length);
  expect([text(5000) === huge, text(5001) === huge]).toEqual([true, true]);
  expect([text(4999), text(39_999)]).toEqual([String(4999n ** 4n), String(39_999n ** 4n)]);
  expect(nativeBlocks(written.bytes).length).toBeGreaterThan(3);
});

test('the output ends within a block until finish is called', async () => {
  const written = new Written('a Int64');
  const results = encodeTable({ names: ['a'], cells: [1n, 2n], batchCells: 2, resultBatches: 1 });
  const { writer } = written;
  const cutShort = (): void => expect(() => nativeBlocks(written.bytes)).toThrow('cut short at');
  cutShort();
  await written.rows({ '/local/a': results });
  for (const step of [
    () => {},
    () => writer.heartbeat(),
    () => writer.failure(Buffer.from('/b')),
  ]) {
    step();
    await writer.flush();
    cutShort();
  }
  await writer.finish();
  const failure = {
    _hb: { type: 'UInt8', values: [2n] },
    _trace_address: { type: 'String', values: [new Uint8Array(Buffer.from('/b'))] },
  };
  const rows = {
    _trace_address: { type: 'LowCardinality(String)', values: ['/local/a', '/local/a'] },
    a: { type: 'Int64', values: [1n, 2n] },
  };
  expect(nativeBlocks(written.bytes)).toEqual([
    HEARTBEAT,
    rows,
    HEARTBEAT,
    HEARTBEAT,
    failure,
    HEARTBEAT,
  ]);
});

async function convert(type: string, value: CellValue): Promise<unknown[]> {
  const written = new Written(`c ${type}`);
  try {
    await written.rows({
      t: encodeTable({ names: ['c'], cells: [value], batchCells: 1, resultBatches: 1 }),
    });
  } catch (error) {
    return [String(error).replace(/ \(bigtrace_as takes.*/, '')];
  }
  await written.writer.finish();
  const { c } = nativeBlocks(written.bytes)[1] ?? {};
  return [c?.type, ...(c?.values ?? [])];
}

test.each<[string, CellValue, ...unknown[]]>([
  ['Int64', 2n ** 63n - 1n, 'Int64', 2n ** 63n - 1n],
  ['Nullable(Int64)', -(2n ** 63n), 'Nullable(Int64)', -(2n ** 63n)],
  ['Nullable(BLOB)', null, 'Nullable(String)', null],
  ['LowCardinality(Nullable(Int64))', null, 'Nullable(Int64)', null],
  ['Int8', -128n, 'Int8', -128n],
  ['UInt8', 255n, 'UInt8', 255n],
  ['Int16', -(2n ** 15n), 'Int16', -(2n ** 15n)],
  ['UInt16', 2n ** 16n - 1n, 'UInt16', 2n ** 16n - 1n],
  ['Int32', 7, 'Int32', 7n],
  ['UInt32', 2n ** 32n - 1n, 'UInt32', 2n ** 32n - 1n],
  ['UInt64', 2n ** 63n - 1n, 'UInt64', 2n ** 63n - 1n],
  ['UInt64', 2 ** 63, 'UInt64', 2n ** 63n],
  ['Int64', -(2 ** 63), 'Int64', -(2n ** 63n)],
  ['Float64', 2n ** 60n, 'Float64', 2 ** 60],
  ['Float32', 16_777_216n, 'Float32', 16_777_216],
  ['Float32', 0.1, 'Float32', Math.fround(0.1)],
  ['Nullable(Float32)', Number.NEGATIVE_INFINITY, 'Nullable(Float32)', Number.NEGATIVE_INFINITY],
  ['Bool', 1n, 'Bool', 1n],
  [
    'Int8',
    128n,
    'BigtraceError: [t]: column c is Int8 and cannot hold integer 128; declare it as a wider type, such as Int64',
  ],
  [
    'Int64',
    null,
    'BigtraceError: [t]: column c is Int64 and cannot hold NULL; declare it as Nullable(Int64)',
  ],
  [
    'Int64',
    'a\nb',
    "BigtraceError: [t]: column c is Int64 and cannot hold text 'a\\x0ab'; declare it as String",
  ],
  [
    'Float64',
    Uint8Array.of(1),
    'BigtraceError: [t]: column c is Float64 and cannot hold a blob of 1 bytes; declare it as String',
  ],
  [
    'UInt64',
    1.5,
    'BigtraceError: [t]: column c is UInt64 and cannot hold number 1.5; declare it as Float64',
  ],
  [
    'Float32',
    1e300,
    'BigtraceError: [t]: column c is Float32 and cannot hold number 1e+300; declare it as Float64',
  ],
])('%s and %s', async (type, value, ...expected) => {
  expect(await convert(type, value)).toEqual(expected);
});
