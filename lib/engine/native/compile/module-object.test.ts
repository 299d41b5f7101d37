import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a compiler that fails leaves nothing behind', async () => {
  const before = readdirSync(kept);
  const command = program('bad', '-o', 'echo "no memory" >&2; exit 1; echo');
  await expect(
    moduleObject(kept, { ...sources, compiler: { command, version: 'bad' } }, () => {}),
  ).rejects.toMatchObject({ code: 'invalid_option', message: `${command} failed: no memory` });
  expect(readdirSync(kept)).toEqual(before);
});
