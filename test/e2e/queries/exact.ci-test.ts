/** Tests that gRPC and ClickHouse return every value exactly as the engine does. */
import type { ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesFromText } from '../../../lib/common/text/byte-text.ts';
import { arrayLiteral, literal } from '../../../lib/common/text/sql-literal.ts';
import type { CellValue } from '../../../lib/query-result/index.ts';
import { queryOverGrpc } from '../../harness/over-grpc.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let analyst: ClickHouseClient;
let trace: string;

beforeAll(async () => {
  system = await startSystem({ workers: 1 });
  analyst = clickhouseAs(system, 'analyst');
  const rows = await rowsOf(
    analyst,
    `SELECT * FROM bigtrace(traces=['/local/**'], sql='SELECT 1 AS n')`,
  );
  trace = String(rows[0]?.[0]);
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
});

/** Returns what the ClickHouse expressions below return: hex() of bytes, and the bits of numbers as UInt64. */
function hexOf(value: CellValue): string | null {
  if (value === null) return null;
  if (typeof value === 'bigint') return BigInt.asUintN(64, value).toString();
  if (typeof value === 'number') {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value);
    return bits.getBigUint64(0).toString();
  }
  return Buffer.from(typeof value === 'string' ? bytesFromText(value) : value)
    .toString('hex')
    .toUpperCase();
}

async function throughBothPaths(sql: string, exactColumns: string): Promise<void> {
  const direct = await queryOverGrpc(system.orchestrator, [trace], sql);
  const rows = await rowsOf(
    analyst,
    `SELECT ${exactColumns} FROM bigtrace(traces=${arrayLiteral([trace])}, sql=${literal(sql)})`,
  );
  expect(rows).toEqual(direct.map(({ values }) => values.map(hexOf)));
}

const AS_UNSIGNED = (name: string): string => `toString(reinterpretAsUInt64(${name}))`;
const AS_HEX = (name: string): string => `hex(${name})`;

const int64 = fc.oneof(
  fc.constantFrom(
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    0n,
    -1n,
    2n ** 32n,
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
/** SQLite has no literal for the smallest int64: it reads such a literal as a double. */
const int64Sql = (value: bigint): string =>
  value === -(2n ** 63n) ? '(-9223372036854775807 - 1)' : String(value);

const double = fc.oneof(
  fc.constantFrom(
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    5e-324,
    1.7976931348623157e308,
    0.1,
  ),
  fc.double({ noNaN: true }),
);
const doubleSql = (value: number): string =>
  value === Number.POSITIVE_INFINITY
    ? '9e999'
    : value === Number.NEGATIVE_INFINITY
      ? '-9e999'
      : /[.e]/.test(String(value))
        ? String(value)
        : `${value}.0`;

/** Bytes that a string cell can contain: all except NUL, which ends the string. */
const stringBytes = fc.oneof(
  fc.constantFrom(Buffer.from('\t\n\r\\\'"\b\f\\N'), Buffer.from([0xff, 0xfe, 0x80]), Buffer.of()),
  fc.uint8Array({ min: 1, max: 255, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

/** Returns a script that returns each value as one row, in order. */
function unionOf(literals: string[]): string {
  return literals.map((text) => `SELECT ${text} AS v`).join(' UNION ALL ');
}

test('64-bit integers and NULL are exact', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(int64), { minLength: 1, maxLength: 60 }),
      async (values) => {
        const script = unionOf([...values.map((v) => (v === null ? 'NULL' : int64Sql(v))), '1']);
        await throughBothPaths(script, AS_UNSIGNED('v'));
      },
    ),
    { numRuns: 8 },
  );
});

test('doubles, including infinities, are exact', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(double, { minLength: 1, maxLength: 60 }), async (values) => {
      await throughBothPaths(unionOf(values.map(doubleSql)), AS_UNSIGNED('v'));
    }),
    { numRuns: 8 },
  );
});

test('strings of any bytes and blobs are exact, and NULL differs from an empty string', async () => {
  const blob = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => `x'${Buffer.from(bytes).toString('hex')}'`);
  const text = stringBytes.map((bytes) => `CAST(x'${bytes.toString('hex')}' AS TEXT)`);
  const cell = fc.oneof(text, blob, fc.constant('NULL'), fc.constant("''"));
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 60 }), async (cells) => {
      await throughBothPaths(unionOf([...cells, "'text'"]), AS_HEX('v'));
    }),
    { numRuns: 8 },
  );
});

test('a string of 1 MiB is returned whole', async () => {
  const sql = `SELECT replace(hex(zeroblob(524288)), '00', 'ab') AS v`;
  const rows = await rowsOf(
    analyst,
    `SELECT length(v), v = repeat('ab', 524288) FROM bigtrace(traces=${arrayLiteral([trace])}, sql=${literal(sql)})`,
  );
  expect(rows).toEqual([['1048576', 1]]);
});

test('duplicate, empty and reserved column names become unique names', async () => {
  const rows = await rowsOf(
    analyst,
    `DESCRIBE (SELECT * FROM bigtrace(traces=${arrayLiteral([trace])},
       sql='SELECT 1 AS a, 2 AS a, 3 AS "", 4 AS _trace_address, 5 AS "x y"'))`,
  );
  const names = rows.map((row) => row[0]);
  expect(names.slice(0, 3)).toEqual(['_trace_address', 'a', 'a_1']);
  expect(new Set(names).size).toBe(6);
  expect(names).not.toContain('');
  expect(names).toContain('x y');
});

test('a column with integers and doubles has the type Float64', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT toTypeName(v), v FROM bigtrace(traces=${arrayLiteral([trace])}, sql='SELECT 1 AS v UNION ALL SELECT 0.5')`,
  );
  expect(rows).toEqual([
    ['Nullable(Float64)', 1],
    ['Nullable(Float64)', 0.5],
  ]);
});

test.each([
  ['Int64', `'many'`, 'many'],
  ['UInt8', '300', '300'],
  ['Int64', '0.5', '0.5'],
  ['Float64', '9007199254740993', '9007199254740993'],
  ['Int64', 'NULL', 'NULL'],
])('a value that does not fit %s is an error: %s', async (type, value, shown) => {
  const message = await errorOf(
    analyst,
    `SELECT * FROM bigtrace_as(structure='v ${type}', traces=${arrayLiteral([trace])}, sql=${literal(`SELECT ${value} AS v`)})`,
  );
  expect(message).toContain(trace);
  expect(message).toMatch(/\bv\b/);
  expect(message).toContain(shown);
});
