import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { BUNDLED_DIRECTORY, chosenEngine, WASM, WASM64 } from './engine-choice.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-engines-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

const installed = join(dataDir, 'engines', 'v52');
mkdirSync(installed, { recursive: true });
for (const name of [WASM, WASM64]) writeFileSync(join(installed, name), '');

test('without a choice, the engine in use or the bundled one is chosen', () => {
  const bundled = { name: 'bundled', wasm: join(BUNDLED_DIRECTORY, WASM), wasm64: undefined };
  expect(chosenEngine(undefined, dataDir)).toEqual(bundled);
  writeFileSync(join(dataDir, 'engines', 'in-use'), 'v52\n');
  const v52 = { name: 'v52', wasm: join(installed, WASM), wasm64: join(installed, WASM64) };
  expect(chosenEngine(undefined, dataDir)).toEqual(v52);
  expect(chosenEngine('bundled', dataDir)).toEqual(bundled);
});

test('an engine is chosen by name or by directory', () => {
  expect(chosenEngine('v52', dataDir).wasm).toBe(join(installed, WASM));
  expect(chosenEngine(installed, dataDir).wasm).toBe(join(installed, WASM));
});

test.each(['v99', '/nowhere', '../engines', 'a b'])(
  '%s, which is no engine, is refused',
  (name) => {
    expect(() => chosenEngine(name, dataDir)).toThrow(`--engine ${name}: there is no `);
  },
);
