/**
 * Tests with random column values that aggregates through ClickHouse are correct, or fail with an error, if the types
 * of a column differ between traces.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import type { CellValue } from '../../../lib/query-result/index.ts';
import { queryOverGrpc } from '../../harness/over-grpc.ts';
import { clickhouseAs, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

/**
 * The number of random cases. For more:
 * `TYPE_RUNS=5000 npx vitest run --config test/config/ci.config.ts column-types`.
 */
const RUNS = Number(process.env['TYPE_RUNS'] ?? 12);

/** A few more traces than column finding samples. */
const TRACES = 12;

let directory: string;
let system: System;
let analyst: ClickHouseClient;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-types-'));
  for (let at = 0; at < TRACES; at++) {
    const slice = { ph: 'X', name: `t${at}`, pid: 1, tid: 1, ts: 1, dur: at };
    writeFileSync(join(directory, `t${at}.json`), JSON.stringify({ traceEvents: [slice] }));
  }
  system = await startSystem({ traces: directory, workers: 1 });
  analyst = clickhouseAs(system, 'analyst');
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
  rmSync(directory, { recursive: true });
});

const NUMBERS = ['9', '10', '999912', '2536898872', '-3', '2.75', '1e300', '9007199254740993'];
const TEXTS = ["'x'", "'12abc'", "'9'", "''"];

/** The value of each trace as SQL: mostly NULL, so that types are known only after several traces. */
const column = fc
  .constantFrom([], NUMBERS.slice(0, 5), NUMBERS, TEXTS, [...NUMBERS, ...TEXTS])
  .chain((some) =>
    fc.array(
      some.length === 0
        ? fc.constant('NULL')
        : fc.oneof({ weight: 3, arbitrary: fc.constant('NULL') }, fc.constantFrom(...some)),
      {
        minLength: TRACES,
        maxLength: TRACES,
      },
    ),
  );

function scriptOf(values: readonly string[]): string {
  const cases = values.map((value, at) => `WHEN 't${at}' THEN ${value}`);
  return `SELECT CASE name ${cases.join(' ')} END AS v FROM slice`;
}

interface Aggregates {
  count: number;
  max: CellValue;
  sum: number | null;
  median: number | null;
}

/** Returns the aggregates of the engine's rows; 'error' if the column mixes text and numbers. */
function expected(values: readonly CellValue[]): Aggregates | 'error' {
  const held = values.filter((value) => value !== null);
  const numbers = held.filter((value) => typeof value === 'number' || typeof value === 'bigint');
  if (numbers.length !== held.length && numbers.length > 0) return 'error';
  const sorted = [...held].sort((a, b) => ((a as number) < (b as number) ? -1 : 1));
  const isText = held.length > 0 && numbers.length === 0;
  const integers = numbers.filter((value) => typeof value === 'bigint');
  const total =
    integers.length === numbers.length
      ? Number(integers.reduce((sum, value) => sum + value, 0n))
      : numbers.map(Number).reduce((sum, value) => sum + value, 0);
  return {
    count: held.length,
    max: sorted.at(-1) ?? null,
    sum: isText || numbers.length === 0 ? null : total,
    median: isText || numbers.length === 0 ? null : Number(sorted[Math.floor(held.length / 2)]),
  };
}

async function throughClickHouse(script: string, aggregate: string): Promise<unknown> {
  const from = `bigtrace(traces=['/local/**'], sql=${literal(script)})`;
  try {
    return (await rowsOf(analyst, `SELECT ${aggregate} FROM ${from}`))[0]?.[0] ?? null;
  } catch (thrown) {
    const message = (thrown as Error).message;
    expect(message).toMatch(/type_mismatch|Illegal type/);
    return 'error';
  }
}

test('count, max, sum and quantile are correct or fail', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(column, async (values) => {
      const script = scriptOf(values);
      const rows = await queryOverGrpc(system.orchestrator, ['/local/**'], script);
      const right = expected(rows.map((row) => row.values[0] ?? null));
      // After a value that does not fit the found type, the type is corrected, so the second time may succeed.
      for (const _ of ['first', 'second']) {
        const count = await throughClickHouse(script, 'count(v)');
        const max = await throughClickHouse(script, 'max(v)');
        const sum = await throughClickHouse(script, 'sum(v)');
        const median = await throughClickHouse(script, 'quantileExact(0.5)(v)');
        const asNumber = (value: unknown): unknown => (value === null ? null : Number(value));
        if (count !== 'error') answered++;
        if (right === 'error') {
          expect([count, max, sum, median]).toEqual(['error', 'error', 'error', 'error']);
          continue;
        }
        if (count !== 'error') expect(Number(count)).toBe(right.count);
        if (max !== 'error')
          expect(typeof right.max === 'string' ? max : asNumber(max)).toEqual(
            typeof right.max === 'string' ? right.max : asNumber(right.max),
          );
        if (sum !== 'error') expect(asNumber(sum)).toBe(right.sum);
        if (median !== 'error') expect(asNumber(median)).toBe(right.median);
      }
    }),
    { numRuns: RUNS },
  );
  expect(answered).toBeGreaterThan(RUNS / 2);
});
