/**
 * Random fleets and scripts for tests of column types, and what the bare engine returns for them. A fleet has traces
 * with values, empty traces, and files that are damaged or no traces at all.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { TraceProcessor } from '../../lib/engine/index.ts';
import { type CellValue, rowsOf } from '../../lib/query-result/index.ts';

/** More traces than column finding samples at first. */
const TRACES_MAX = 14;

const INTEGERS = ['9', '10', '999912', '2536898872', '-3'];
const NUMBERS = [...INTEGERS, '2.75', '1e300'];
const WIDE = ['9223372036854775807', '-9223372036854775807', '9007199254740993'];
const TEXTS = ['"x"', '"12abc"', '"9"', '""'];

/** The values of one column, one for each trace, as JSON; mostly null, so that types are known only after several. */
const column = fc
  .constantFrom([], INTEGERS, NUMBERS, [...INTEGERS, ...WIDE], [...NUMBERS, ...WIDE], TEXTS, [
    ...NUMBERS,
    ...TEXTS,
  ])
  .chain((some) =>
    fc.array(
      some.length === 0
        ? fc.constant('null')
        : fc.oneof({ weight: 3, arbitrary: fc.constant('null') }, fc.constantFrom(...some)),
      { minLength: TRACES_MAX, maxLength: TRACES_MAX },
    ),
  );

function slice(name: string, ts: number, value: string): string {
  const args = value === 'null' ? '' : `,"args":{"v":${value}}`;
  return `{"ph":"X","name":"${name}","pid":1,"tid":1,"ts":${ts},"dur":10${args}}`;
}

/** Contents of a file by its kind. */
const FILES: Record<string, (name: string, value: string) => string | Buffer> = {
  one: (name, value) => `{"traceEvents":[${slice(name, 1, value)}]}`,
  three: (name, value) =>
    `{"traceEvents":[${[1, 20, 40].map((ts) => slice(name, ts, value)).join(',')}]}`,
  empty: () => '{"traceEvents":[]}',
  zero: () => '',
  page: () => '<!DOCTYPE html>\n<html><body>Sign in</body></html>\n',
  cut: (name, value) => `{"traceEvents":[${slice(name, 1, value)},{"ph":"X","na`,
  noise: (name) => Buffer.from(`\x0a\xff\xff\xff${name.repeat(90)}`, 'latin1'),
};

const kinds = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant('one') },
    { weight: 2, arbitrary: fc.constantFrom('three', 'empty') },
    { weight: 1, arbitrary: fc.constantFrom('zero', 'page', 'cut', 'noise') },
  ),
  { minLength: 1, maxLength: TRACES_MAX },
);

function sqlOf(json: string): string {
  return json.startsWith('"') ? `'${JSON.parse(json)}'` : json;
}

/** Expressions of a slice's value; column finding can infer the kinds of the first one only. */
const VALUES: ((column: readonly string[]) => string)[] = [
  (all) =>
    `CASE name ${all.map((value, at) => `WHEN 't${at}' THEN ${sqlOf(value)}`).join(' ')} END`,
  (all) => `json_extract('{${all.map((value, at) => `"t${at}":${value}`)}}', '$.' || name)`,
  () => `extract_arg(arg_set_id, 'args.v')`,
];

/** Scripts with one column `v`, from an expression of a slice's value. */
const SCRIPTS: ((value: string) => string)[] = [
  (v) => `SELECT ${v} AS v FROM slice`,
  (v) => `SELECT v FROM (SELECT ${v} AS v FROM slice) WHERE v IS NOT NULL`,
  (v) => `WITH c AS (SELECT ${v} AS v FROM slice) SELECT v FROM c`,
  (v) => `SELECT NULL AS v FROM slice UNION ALL SELECT ${v} FROM slice`,
  (v) => `SELECT max(v) OVER () AS v FROM (SELECT ${v} AS v FROM slice)`,
  (v) => `SELECT lag(v) OVER (ORDER BY ts) AS v FROM (SELECT ts, ${v} AS v FROM slice)`,
  (v) => `CREATE PERFETTO TABLE made AS SELECT ${v} AS v FROM slice; SELECT v FROM made`,
  (v) => `CREATE PERFETTO VIEW made AS SELECT ${v} AS v FROM slice; SELECT v FROM made;`,
  (v) => `SELECT ${v} AS v FROM slice WHERE name < 't3'`,
  (v) => `SELECT max(${v}) AS v FROM slice`,
  (v) => `SELECT sum(${v}) AS v FROM slice`,
  (v) => `SELECT CAST(${v} AS TEXT) AS v FROM slice`,
  (v) => `SELECT CAST(${v} AS INTEGER) AS v FROM slice`,
  (v) => `SELECT CAST(${v} AS REAL) AS v FROM slice`,
  (v) => `SELECT iif(name = 't7', ${v}, NULL) AS v FROM slice`,
  (v) => `SELECT coalesce(${v}, name = 't1') AS v FROM slice`,
];

export interface Fleet {
  kinds: string[];
  /** The value of each trace, as JSON. */
  column: string[];
}

export interface FleetQuery {
  fleet: Fleet;
  sql: string;
  lenient: boolean;
  /** Traces by number that bigtrace_table samples; undefined: the query uses a pattern instead. */
  sample: number[] | undefined;
}

export const fleetQuery: fc.Arbitrary<FleetQuery> = fc
  .record({
    kinds,
    column,
    value: fc.constantFrom(...VALUES),
    script: fc.oneof(
      { weight: 1, arbitrary: fc.constant(SCRIPTS[0] as (value: string) => string) },
      { weight: 2, arbitrary: fc.constantFrom(...SCRIPTS) },
    ),
    lenient: fc.boolean(),
    sample: fc.option(fc.array(fc.nat(TRACES_MAX - 1), { minLength: 1, maxLength: 3 })),
  })
  .map(({ kinds: files, column: all, value, script, lenient, sample }) => ({
    fleet: { kinds: files, column: all },
    sql: script(value(all)),
    lenient,
    sample: sample?.map((at) => at % files.length),
  }));

/** Writes the fleet to a new directory. @returns the paths of its traces */
export function writeFleet({ kinds: files, column: all }: Fleet, directory: string): string[] {
  mkdirSync(directory);
  return files.map((kind, at) => {
    const path = join(directory, `t${at}`);
    writeFileSync(path, FILES[kind]?.(`t${at}`, all[at] ?? 'null') ?? '');
    return path;
  });
}

/**
 * Returns the column that the bare engine returns on a trace; 'error' when the trace or the script fails.
 * @param processor is reset first
 */
export function bareColumn(
  processor: TraceProcessor,
  trace: Buffer,
  sql: string,
): CellValue[] | 'error' {
  processor.reset();
  try {
    processor.append(trace);
    processor.finalize();
    const results: Uint8Array[] = [];
    processor.query(Buffer.from(sql), (result) => results.push(result.slice()));
    return rowsOf(results).map(([value = null]) => value);
  } catch {
    return 'error';
  }
}
