import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINE_WASM, fetchEngine } from '../../../tools/build/fetch-engine.mjs';
import { type Engine, loadEngine, readSqlPackages, TraceProcessor } from '../index.ts';
import { load, queryRows } from '../testing.ts';

const COMPILE = 'recorded/linux/compile-c.pftrace';
const OTHER = 'recorded/linux/gzip-cpu.pftrace';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'bigtrace-packages-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

/** Creates a directory with these files. */
function directory(files: Record<string, string>): string {
  const path = join(root, String(count++));
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

test('modules are named by their paths; hidden files and files of other types are ignored', () => {
  const path = directory({
    'b.sql': 'SELECT 1',
    'sub/deep/a.sql': 'é',
    'README.md': 'x',
    '.git/x-y.sql': 'x',
  });
  symlinkSync(join(path, 'b.sql'), join(path, 'link.sql'));
  expect(readSqlPackages([`z=${path}`, `a=${join(path, 'sub')}`])).toEqual([
    { name: 'a', modules: [{ name: 'a.deep.a', sql: new Uint8Array([0xc3, 0xa9]) }] },
    {
      name: 'z',
      modules: ['z.b', 'z.link', 'z.sub.deep.a'].map((name) => ({
        name,
        sql: expect.any(Uint8Array),
      })),
    },
  ]);
});

test.each([
  ['a', /^--sql-package a: it must be name=directory$/],
  ['a=', /^--sql-package a=: it must be name=directory$/],
  ['a-b=/x', /: name a-b must be letters, digits and _$/],
  ['=/x', /: name {2}must be letters, digits and _$/],
  [
    'a=/nowhere/at/all',
    /^--sql-package a=\/nowhere\/at\/all: \/nowhere\/at\/all cannot be read: ENOENT/,
  ],
])('--sql-package %s is refused', (flag, message) => {
  expect(() => readSqlPackages([flag])).toThrow(message);
});

test('readSqlPackages refuses packages that are empty, repeated, too large or too deep, or have unusable names', () => {
  const empty = directory({ 'README.md': '' });
  expect(() => readSqlPackages([`a=${empty}`])).toThrow(`${empty} has no .sql file`);
  const odd = directory({ 'x-y.sql': '' });
  expect(() => readSqlPackages([`a=${odd}`])).toThrow(/x-y\.sql: no script can name a module/);
  const good = directory({ 'x.sql': '' });
  expect(() => readSqlPackages([`a=${good}`, `a=${good}`])).toThrow('package a is given twice');
  const large = directory({ 'x.sql': ' '.repeat(5 * 2 ** 20), 'y.sql': ' '.repeat(5 * 2 ** 20) });
  expect(() => readSqlPackages([`a=${large}`])).toThrow('packages are larger than 8388608 bytes');
  const loop = directory({ 'x.sql': '' });
  symlinkSync(loop, join(loop, 'again'));
  expect(() => readSqlPackages([`a=${loop}`])).toThrow('is more than 16 levels deep');
});

async function engineWith(files: Record<string, string>, name = 'fleet'): Promise<Engine> {
  await fetchEngine();
  return loadEngine(ENGINE_WASM, readSqlPackages([`${name}=${directory(files)}`]));
}

const FILES = {
  'sub/names.sql':
    "CREATE PERFETTO TABLE fleet_names AS SELECT name FROM thread WHERE name GLOB 'c*'",
  'count.sql':
    'INCLUDE PERFETTO MODULE fleet.sub.names; INCLUDE PERFETTO MODULE slices.with_context;' +
    'CREATE PERFETTO FUNCTION fleet_count() RETURNS INT AS SELECT count(*) FROM fleet_names',
  'bad.sql': 'CREATE PERFETTO TABLE x AS SELECT nope FROM thread',
};
const SCRIPT = 'INCLUDE PERFETTO MODULE fleet.count; SELECT fleet_count() > 0, fleet_count()';

test('packages stay registered after scripts, restore and reset, and in another instance', async () => {
  const engine = await engineWith(FILES);
  const processor = load(new TraceProcessor(engine), COMPILE);
  const snapshot = processor.snapshot();
  const [[, own] = []] = queryRows(
    processor,
    "SELECT 0, count(*) FROM thread WHERE name GLOB 'c*'",
  );
  const right = [[1n, own]];
  expect(queryRows(processor, SCRIPT)).toEqual(right);
  expect(queryRows(processor, SCRIPT)).toEqual(right);
  expect(() => queryRows(processor, 'INCLUDE PERFETTO MODULE fleet.bad')).toThrow(
    /fleet\.bad[\s\S]*nope/,
  );
  expect(() => queryRows(processor, 'INCLUDE PERFETTO MODULE fleet.none')).toThrow(/fleet\.none/);
  processor.restore(snapshot);
  expect(queryRows(processor, SCRIPT)).toEqual(right);
  const other = load(new TraceProcessor(engine), OTHER);
  other.restore(snapshot);
  expect(queryRows(other, SCRIPT)).toEqual(right);
  other.reset();
  expect(queryRows(load(other, COMPILE), SCRIPT)).toEqual(right);
  expect(() => processor.restore({ ...snapshot, engine: 'x' })).toThrow('of another engine');
});

test('the identity of an engine depends on the contents of its packages', async () => {
  const [one, same, other] = await Promise.all([
    engineWith({ 'a.sql': 'SELECT 1', 'b.sql': 'SELECT 2' }),
    engineWith({ 'b.sql': 'SELECT 2', 'a.sql': 'SELECT 1' }),
    engineWith({ 'b.sql': 'SELECT 2', 'a.sql': 'SELECT 3' }),
  ]);
  expect(same.identity).toBe(one.identity);
  expect(other.identity).not.toBe(one.identity);
  expect(one.packages).toEqual([
    { name: 'fleet', modules: 2, traits: expect.objectContaining({ deterministic: true }) },
  ]);
});

test('a package with the name of a standard-library package is refused', async () => {
  await expect(engineWith({ 'a.sql': 'SELECT 1' }, 'slices')).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringMatching(/^--sql-package slices: Package 'slices' is already registered/),
  });
});
