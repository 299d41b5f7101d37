import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CellValue } from '../../lib/query-result/index.ts';
import { type Cell, castCell, digestOf, exactCell } from './canonical.ts';
import { readDigests, writeDigests } from './digest-file.ts';
import { parseQueries, readQueries } from './queries.ts';
import { differences, disagreements, recordOf } from './record.ts';
import { type Rows, steady, type WayResult } from './result.ts';
import { readRowBinary } from './row-binary.ts';

test('parseQueries reads names, scripts, trace sets and escaped bytes', () => {
  const text = '--- * traces=one\n--- a\nSELECT 1\n--- b traces=few escapes=yes\nSELECT "\\xff"\n';
  expect(parseQueries('f', text)).toEqual([
    { name: 'a', file: 'f', sql: 'SELECT 1', traces: 'one', differ: undefined },
    { name: 'b', file: 'f', sql: 'SELECT "\udcff"', traces: 'few', differ: undefined },
  ]);
  expect(() => parseQueries('f', '--- a tracs=one\nSELECT 1')).toThrow('no key tracs');
  expect(() => parseQueries('f', '--- a traces=none\nSELECT 1')).toThrow('no traces none');
});

test('there are more than 300 queries, and each has digests', () => {
  const queries = readQueries(join(import.meta.dirname, 'queries'));
  expect(queries.length).toBeGreaterThan(300);
  for (const file of new Set(queries.map((query) => query.file))) {
    const digests = readDigests(join(import.meta.dirname, 'digests', `${file}.txt`), () => []);
    const own = queries.filter((query) => query.file === file);
    expect([...digests.keys()]).toEqual(own.map(({ name }) => name));
  }
});

test('values that look alike have different cells', () => {
  const values = [null, 1n, 1, -0, 0, '1', '', 'N', new Uint8Array(), new Uint8Array([0x31])];
  expect(new Set(values.map(exactCell)).size).toBe(values.length);
  const digests = [[['a', 'b']], [['a'], ['b']], [['ab']], [['', 'ab']]];
  expect(new Set(digests.map((rows) => digestOf(['x'], rows))).size).toBe(digests.length);
});

test.each<[CellValue, string, Cell]>([
  [2n, 'Nullable(Float64)', 'D4000000000000000'],
  [-0, 'Nullable(String)', 'S-0'],
  [Number.POSITIVE_INFINITY, 'Nullable(String)', 'Sinf'],
  [5n, 'Nullable(String)', 'S5'],
  [new Uint8Array([0xff]), 'Nullable(String)', 'S\xff'],
  [null, 'Nullable(Int64)', 'N'],
  [7n, 'Nullable(Int64)', 'I7'],
])('%s in a column of %s is %j', (value, type, cell) => {
  expect(castCell(value, type)).toBe(cell);
});

test('readRowBinary reads all rows and fails if the input ends within a value', () => {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value, 'latin1')];
  const head = [2, ...text('n'), ...text('s'), ...text('Nullable(Int64)'), ...text('String')];
  const row = [0, ...[0, 0, 0, 0, 0, 0, 0, 0x80], ...text('\xff')];
  const table = readRowBinary(Buffer.from([...head, ...row, 1, ...text('')]));
  expect(table.rows).toEqual([
    ['I-9223372036854775808', 'S\xff'],
    ['N', 'S'],
  ]);
  expect(() => readRowBinary(Buffer.from([...head, ...row.slice(0, 5)]))).toThrow('within a value');
});

const result = <Row>(
  types: string[],
  traces: Record<string, Rows<Row> | { code: string; message: string }>,
): WayResult<Row> => ({ error: undefined, types, traces: new Map(Object.entries(traces)) });

const GRPC = result<CellValue[]>([], {
  a: { names: ['v'], rows: [[1n], [0.5]] },
  b: { code: 'trace_invalid', message: 'no trace' },
});
const ROWS = result<Cell[]>(['Nullable(Float64)'], {
  a: { names: ['v'], rows: [['D3ff0000000000000'], ['D3fe0000000000000']] },
  b: { code: 'trace_invalid', message: 'no trace' },
});
const OTHERS = result<Cell[]>(['Nullable(Float64)'], {
  a: { names: ['v'], rows: [['D3fe0000000000000'], ['D3ff0000000000000']] },
  b: { code: 'trace_invalid', message: 'no trace' },
});

test('disagreements name the trace and the ways that differ', () => {
  expect(disagreements({ grpc: GRPC, native: ROWS, tsv: ROWS })).toEqual([]);
  expect(disagreements({ grpc: GRPC, native: ROWS, tsv: OTHERS })).toEqual([
    expect.stringMatching(/^a: native 2 rows [0-9a-f]{16}; tsv 2 rows [0-9a-f]{16}$/),
  ]);
  expect(disagreements({ grpc: GRPC, native: OTHERS, tsv: OTHERS })).toEqual([
    expect.stringMatching(/^a: grpc 2 rows .*; native 2 rows /),
  ]);
});

test('readDigests returns what writeDigests wrote, and a changed trace is reported in one line', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'bigtrace-digests-')), 'digests.txt');
  const record = recordOf({ grpc: GRPC, native: ROWS, tsv: ROWS });
  writeDigests(path, new Map([['query', record]]));
  const read = readDigests(path, () => ['a', 'b']).get('query');
  expect(read).toEqual(record);
  const changed = recordOf({ grpc: GRPC, native: OTHERS, tsv: OTHERS });
  const lines = [...changed].flatMap(([way, found]) =>
    differences(read?.get(way) ?? new Map(), found, ['was', 'is']),
  );
  expect(lines).toEqual([expect.stringMatching(/^a: was 2 rows .*; is 2 rows /)]);
});

test('steady removes the example traces and the number of attempts from a message', () => {
  const message =
    'all 3 traces failed: 2 sql_failed, such as [/local/a]: x; y; 1 trace_invalid, such as [/local/b]: z';
  expect(steady(message)).toBe('all 3 traces failed: 2 sql_failed; 1 trace_invalid');
  expect(
    steady(
      'it crashed; the trace is barred now; `bigtrace unbar /local/a` allows another load (tried 2 times)',
    ),
  ).toBe('it crashed');
});
