import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addonFile, recordFile } from './addon-file.ts';
import { builtOf } from './host-sources.ts';
import { engineCode, type RuntimeChoice } from './runtime-choice.ts';

const addons = mkdtempSync(join(tmpdir(), 'bigtrace-addons-'));
afterAll(() => rmSync(addons, { recursive: true }));

/** An empty module. */
const WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const DIGEST = 'ab'.repeat(32);
const file = addonFile(addons, DIGEST);

function code(runtime: RuntimeChoice['runtime'], is64 = false) {
  return engineCode(WASM, { digest: DIGEST, is64 }, { runtime, addons });
}

async function expectUnusable(problem: string): Promise<void> {
  await expect(code('native')).rejects.toMatchObject({
    code: 'invalid_option',
    message: `--engine-runtime native: ${problem}; \`bigtrace engine compile\` makes it`,
  });
  expect((await code('auto')).runtime).toBe('v8');
}

test('without an addon, auto is V8, and native is an error', async () => {
  await expectUnusable(`there is no ${file}`);
  expect((await code('native', true)).runtime).toBe('v8'); // 64-bit memory is not compiled
});

test('an addon without its record, changed, cut short, or of other sources is not loaded', async () => {
  const sha256 = '01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b'; // of a newline
  const record = { built: builtOf(DIGEST), sha256, compiler: '', flags: [], wasm2c: '' };
  writeFileSync(file, '\n');
  await expectUnusable(`${file} is not what its record says`);
  writeFileSync(recordFile(file), JSON.stringify({ ...record, built: builtOf('cd') }));
  await expectUnusable(`${file} was made for another version of Bigtrace`);
  writeFileSync(file, '');
  await expectUnusable(`${file} is not what its record says`);
  writeFileSync(file, '\n');
  writeFileSync(recordFile(file), readFileSync(recordFile(file)).subarray(1));
  await expectUnusable(`${file} is not what its record says`);
  writeFileSync(recordFile(file), JSON.stringify(record));
  await expect(code('native')).rejects.toThrow(`${file} cannot be loaded: `); // it is no library
});

test('an addon that every user of the machine can replace is not loaded', async () => {
  for (const [path, mode] of [
    [addons, 0o777],
    [file, 0o666],
    [recordFile(file), 0o666],
  ] as const) {
    chmodSync(path, mode);
    await expectUnusable(`every user can write ${path}: \`chmod o-w\` closes it`);
    chmodSync(path, mode & 0o755);
  }
});
