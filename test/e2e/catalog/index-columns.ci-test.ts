/** Tests that the catalog columns of manifests and extra SQL keep the exact value of every trace. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let traces: string;

beforeAll(async () => {
  traces = mkdtempSync(join(tmpdir(), 'bigtrace-columns-'));
  system = await startSystem({ traces, workers: 1 });
});
afterAll(async () => {
  await system?.stop();
  rmSync(traces, { recursive: true });
});

/** Writes a JSON trace of one slice with the argument `v`; `value` is JSON text. */
function writeTrace(name: string, value: string): void {
  const event = `{"ph":"X","name":"a","pid":1,"tid":1,"ts":1,"dur":10,"args":{"v":${value}}}`;
  writeFileSync(join(traces, name), `{"traceEvents":[${event}]}`);
}

async function index(...args: string[]): Promise<Record<string, number>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...[join(ROOT, 'cli/bigtrace.mjs'), 'index', '--json', ...args],
      ...['--orchestrator', system.orchestrator, '--clickhouse', system.clickhouseHttp],
    ],
    { env: { ...process.env, BIGTRACE_ADMIN_PASSWORD: system.adminPassword } },
  );
  return stdout === '' ? {} : (JSON.parse(stdout) as Record<string, number>);
}

async function column(name: string): Promise<string[]> {
  const rows = await system.sql(
    `SELECT address, ${name}, toTypeName(${name}) FROM bigtrace.traces ORDER BY address FORMAT TSV`,
  );
  return rows.trimEnd().split('\n');
}

const extra = (name: string): string[] => [
  '--extra-sql',
  `SELECT extract_arg(arg_set_id, 'args.v') AS ${name} FROM slice`,
];

test('a later run of extra SQL widens the column type without changing earlier values', async () => {
  writeTrace('a.json', '2.75');
  await index('/local/*', ...extra('v'));
  expect(await column('v')).toEqual(['/local/a.json\t2.75\tNullable(Float64)']);
  writeTrace('b.json', '7');
  expect(await index('/local/*', ...extra('v'))).toMatchObject({ read: 1 });
  writeTrace('c.json', '"12abc"');
  expect(await index('/local/*', ...extra('v'))).toMatchObject({ read: 1 });
  writeTrace('d.json', '7');
  expect(await index('/local/*', ...extra('v'))).toMatchObject({ read: 1 });
  expect(await column('v')).toEqual([
    '/local/a.json\t2.75\tNullable(String)',
    '/local/b.json\t7\tNullable(String)',
    '/local/c.json\t12abc\tNullable(String)',
    '/local/d.json\t7\tNullable(String)',
  ]);
});

test('extra SQL keeps the bits of doubles, 64-bit integers and any text', async () => {
  const doubles = ['5e-324', '1.7976931348623157e308', '9e999', '-9e999', '0.1', '1e22'];
  const others = [
    '9223372036854775807',
    '-9223372036854775807 - 1',
    "'1e5'",
    "'0042'",
    "'a''b\\c'",
  ];
  const select = [...doubles, ...others].map((value, at) => `${value} AS e${at}`).join(', ');
  await index('/local/a.json', '--extra-sql', `SELECT ${select}`);
  const bits = doubles.map((_, at) => `toString(reinterpretAsUInt64(assumeNotNull(e${at})))`);
  const texts = others.map((_, at) => `toString(e${doubles.length + at})`);
  const columns = [...bits, ...texts].join(", '|', ");
  const stored = `SELECT concat(${columns}) FROM bigtrace.traces WHERE address = '/local/a.json'`;
  const expected = [5e-324, 1.7976931348623157e308, Infinity, -Infinity, 0.1, 1e22].map((value) =>
    String(new BigUint64Array(Float64Array.of(value).buffer)[0]),
  );
  expect(await system.sql(`${stored} FORMAT TSVRaw`)).toBe(
    `${[...expected, '9223372036854775807', '-9223372036854775808', '1e5', '0042', "a'b\\c"].join('|')}\n`,
  );
});

test('another script adds its columns and keeps those of the first script', async () => {
  expect(
    await index('/local/*', '--extra-sql', 'SELECT count(*) AS slices FROM slice'),
  ).toMatchObject({
    read: 4,
  });
  expect(await column('slices')).toContain('/local/a.json\t1\tNullable(Int64)');
  expect(await column('v')).toContain('/local/a.json\t2.75\tNullable(String)');
  expect(await index('/local/*', ...extra('v'))).toMatchObject({ read: 0 });
  writeTrace('a.json', '33333.5'); // another generation, so the stored value no longer applies
  await index('/local/*');
  expect(await column('v')).toContain('/local/a.json\t\\N\tNullable(String)');
  await index('/local/*', ...extra('v'));
  expect(await column('v')).toContain('/local/a.json\t33333.5\tNullable(String)');
});

test('a dropped column is removed, and can be added again with another type', async () => {
  await index('--drop-column', 'v');
  await expect(column('v')).rejects.toThrow(/v/);
  rmSync(join(traces, 'c.json'));
  expect(await index('/local/*', ...extra('v'))).toMatchObject({ read: 3, vanished: 1 });
  expect(await column('v')).toContain('/local/b.json\t7\tNullable(Float64)');
  await expect(index('--drop-column', 'none')).rejects.toThrow(
    'bigtrace.traces has no column none from a manifest or --extra-sql',
  );
});

test('a second manifest changes only the values that it names', async () => {
  const manifest = join(traces, '.manifest.csv');
  const add = async (content: string, ...args: string[]): Promise<void> => {
    writeFileSync(manifest, content);
    await index('/local/*', '--manifest', manifest, ...args);
  };
  await add('path,flavor,dev\na.json,userdebug-1,x\nb.json,2,y\n\n');
  await add('path,flavor\nb.json,7\n');
  expect(await column('flavor')).toContain('/local/a.json\tuserdebug-1\tNullable(String)');
  expect(await column('flavor')).toContain('/local/b.json\t7\tNullable(String)');
  expect(await column('dev')).toContain('/local/b.json\ty\tNullable(String)');

  await add('path,serial,build\na.json,0042,1000\n', '--column-type', 'build=String');
  expect(await column('serial')).toContain('/local/a.json\t0042\tNullable(String)');
  expect(await column('build')).toContain('/local/a.json\t1000\tNullable(String)');

  await expect(add('path,n\nnone.json,1\n')).rejects.toThrow(
    /names no trace that was listed; its first record names \/local\/none\.json/,
  );
  await expect(add('path,slices\na.json,1\n')).rejects.toThrow(
    /column slices already comes from extra SQL/,
  );
  await expect(add('path,w\na.json,x\n', '--column-type', 'w=Int64')).rejects.toThrow(
    /--column-type w=Int64: a value of the column in .*manifest\.csv is text/,
  );
});
