/** Damaged and swapped addons: they are not executed. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testEngine } from '../testing.ts';
import { addonFile, findAddon, recordFile, recordOf } from './addon-file.ts';
import { builtOf } from './host-sources.ts';

const native = await testEngine();
const original = native.code.runtime === 'native' ? native.code.addon : '';

const addons = mkdtempSync(join(tmpdir(), 'bigtrace-addons-'));
afterAll(() => rmSync(addons, { recursive: true }));

/** Copies the addon, and its record, as those of a wasm file. */
function copyFor(wasm: string): string {
  const file = addonFile(addons, wasm);
  copyFileSync(original, file);
  copyFileSync(recordFile(original), recordFile(file));
  return file;
}

test('the engine under test is found', () =>
  expect(findAddon(dirname(original), native.digest)).toEqual({ addon: original }));

test('an addon with one changed bit is not loaded, wherever the bit is', () => {
  const file = copyFor(native.digest);
  expect(findAddon(addons, native.digest)).toEqual({ addon: file });
  const bytes = readFileSync(original);
  for (const at of [0, 1000, bytes.length >> 2, bytes.length >> 1, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, changed);
    expect(findAddon(addons, native.digest)).toEqual({
      problem: `${file} is not what its record says`,
    });
  }
});

test('the addon of another engine is not used, even if its record claims that it is', () => {
  const other = 'cd'.repeat(32);
  const file = copyFor(other);
  expect(findAddon(addons, other)).toEqual({
    problem: `${file} was made for another version of Bigtrace`,
  });
  const record = { ...recordOf(file), built: builtOf(other) };
  writeFileSync(recordFile(file), JSON.stringify(record));
  expect(findAddon(addons, other)).toEqual({ problem: `${file} is not what its record says` });
});
