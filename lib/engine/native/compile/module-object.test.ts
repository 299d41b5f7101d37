import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type ModuleSources, moduleObject } from './module-object.ts';

const scratch = mkdtempSync(join(tmpdir(), 'bigtrace-object-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const LOG = join(scratch, 'log');
const kept = join(scratch, 'kept');

/** A program that writes its name to the log, and writes the file after its flag `option`. */
function program(name: string, option: string, text: string): string {
  const file = join(scratch, name);
  const script = [
    '#!/bin/sh',
    `echo ${name} >>'${LOG}'`,
    `while [ "$1" != ${option} ]; do shift; done`,
    `${text} >"$2"`,
  ];
  writeFileSync(file, `${script.join('\n')}\n`, { mode: 0o755 });
  return file;
}

const sources: ModuleSources = {
  wasm: join(scratch, 'x.wasm'),
  digest: 'ab'.repeat(32),
  compiler: { command: program('cc', '-o', 'echo object'), version: 'cc 1' },
  wasm2c: {
    program: program('wasm2c', '--output', 'echo header >"$(dirname "$2")/tp.h"; echo code'),
    version: 'wasm2c 1',
    include: [],
  },
  flags: ['-O2'],
};

/** Returns the programs that ran. */
async function programsOf(changed: Partial<ModuleSources> = {}): Promise<string[]> {
  writeFileSync(LOG, '');
  const { object, include } = await moduleObject(kept, { ...sources, ...changed }, () => {});
  expect(readFileSync(object, 'utf8')).toBe('object\n');
  expect(readFileSync(join(include, 'tp.h'), 'utf8')).toBe('header\n');
  expect(readdirSync(include).toSorted()).toEqual(['module.o', 'sha256', 'tp.h']);
  return readFileSync(LOG, 'utf8').trim().split('\n');
}

test('the object is made once for each engine, compiler and set of flags', async () => {
  const all = ['wasm2c', 'cc', 'cc']; // translated, compiled, and linked to one object
  expect(await programsOf()).toEqual(all);
  expect(await programsOf()).toEqual(['']);
  expect(await programsOf({ flags: ['-O1'] })).toEqual(all);
  expect(await programsOf({ digest: 'cd'.repeat(32) })).toEqual(all);
  expect(await programsOf({ compiler: { ...sources.compiler, version: 'cc 2' } })).toEqual(all);
  expect(await programsOf()).toEqual(['']);
});

test('an object that was cut short or changed is made again', async () => {
  const { object } = await moduleObject(kept, sources, () => {});
  writeFileSync(object, 'objec');
  expect(await programsOf()).toEqual(['wasm2c', 'cc', 'cc']);
  expect(await programsOf()).toEqual(['']);
});

test('processes that make the same object at once all have it', async () => {
  const directory = join(scratch, 'shared');
  const made = await Promise.all(
    Array.from({ length: 8 }, () => moduleObject(directory, sources, () => {})),
  );
  for (const { object } of made) expect(readFileSync(object, 'utf8')).toBe('object\n');
  expect(readdirSync(directory)).toHaveLength(1);
});

function useBefore(path: string, hours: number): string {
  const used = new Date(Date.now() - hours * 3_600_000);
  utimesSync(path, used, used);
  return path;
}

/** Makes the directory of an object that was used so many hours ago. */
function objectOf(directory: string, name: string, hours: number): string {
  const path = join(directory, name);
  mkdirSync(path, { recursive: true });
  return useBefore(path, hours);
}

test('the objects that were not used for the longest time are deleted', async () => {
  const directory = join(scratch, 'pruned');
  const { object: first } = await moduleObject(directory, sources, () => {});
  const used = useBefore(dirname(first), 90); // the oldest, but it is used again
  const recent = Array.from({ length: 3 }, (_, n) => objectOf(directory, `${n}`.repeat(32), 0.5));
  const old = Array.from({ length: 4 }, (_, n) =>
    objectOf(directory, `${n + 3}`.repeat(32), n + 2),
  );
  const abandoned = objectOf(directory, `${'8'.repeat(32)}.new-x`, 25);
  const atWork = objectOf(directory, `${'9'.repeat(32)}.new-y`, 23);
  const foreign = objectOf(directory, 'notes', 1000);
  await moduleObject(directory, sources, () => {});
  expect(Date.now() - statSync(used).mtimeMs).toBeLessThan(600_000);
  expect(old.map((each) => existsSync(each))).toEqual([true, true, true, true]);
  const { object } = await moduleObject(directory, { ...sources, flags: ['-O3'] }, () => {});
  expect(existsSync(object)).toBe(true);
  for (const each of [used, ...recent, atWork, foreign]) expect(existsSync(each)).toBe(true);
  expect(existsSync(abandoned)).toBe(false);
  expect(old.map((each) => existsSync(each))).toEqual([true, false, false, false]);
});

test('objects that may be in use are not deleted, however many there are', async () => {
  const directory = join(scratch, 'busy');
  const all = Array.from({ length: 9 }, (_, n) => objectOf(directory, `${n}`.repeat(32), 0.9));
  await moduleObject(directory, sources, () => {});
  for (const each of all) expect(existsSync(each)).toBe(true);
});

test('a compiler that fails leaves nothing behind', async () => {
  const before = readdirSync(kept);
  const command = program('bad', '-o', 'echo "no memory" >&2; exit 1; echo');
  await expect(
    moduleObject(kept, { ...sources, compiler: { command, version: 'bad' } }, () => {}),
  ).rejects.toMatchObject({ code: 'invalid_option', message: `${command} failed: no memory` });
  expect(readdirSync(kept)).toEqual(before);
});
