import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPresets, parsePresets } from './presets.ts';

test('the built-in presets are at least 15 and have unique IDs', () => {
  const presets = loadPresets(undefined);
  expect(presets.length).toBeGreaterThanOrEqual(15);
  expect(new Set(presets.map(({ id }) => id)).size).toBe(presets.length);
});

test('presets of a user file are added, and replace built-in ones with the same ID', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'bigtrace-presets-')), 'mine.yaml');
  const own = (id: string) => ({
    id,
    category: 'Mine',
    name: 'n',
    description: 'd',
    perfettoSql: 'SELECT 1',
  });
  writeFileSync(file, JSON.stringify([own('mine'), own('irqs')]));
  const presets = loadPresets(file);
  expect(presets).toHaveLength(loadPresets(undefined).length + 1);
  expect(presets.find(({ id }) => id === 'irqs')).toEqual(own('irqs'));
});

test.each([
  ['a: 1', 'f: it must be a list of presets'],
  ['- id: x', 'f: preset 1 lacks category, name, description, perfettoSql'],
  ['- 1', 'f: preset 1 must have id, category, name, description, perfettoSql'],
  [
    '- {id: x, category: c, name: n, description: d, perfettoSql: s, nope: 1}',
    'f: preset 1: nope is none of id,',
  ],
  [
    '- {id: x, category: c, name: n, description: d, perfettoSql: s, limit: -1}',
    'f: preset 1: limit is of the wrong type',
  ],
  ['- [', 'f: YAMLParseError'],
])('the preset file %j is rejected', (text, message) => {
  expect(() => parsePresets(text, 'f')).toThrow(message);
});
