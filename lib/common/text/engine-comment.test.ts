import { expect, test } from 'vitest';
import { engineNamed, engineText, namesEngine, withEngineNamed } from './engine-comment.ts';

test.each([
  ['/*bigtrace: engine=v52 */ SELECT 1', 'v52'],
  [' \n/* bigtrace:engine = v52.0-6b9586def*/SELECT 1', 'v52.0-6b9586def'],
  ['SELECT 1 /*bigtrace: engine=v52 */', undefined],
  ["SELECT '/*bigtrace: engine=v52 */'", undefined],
  ['/* about bigtrace: engine=v52 */ SELECT 1', undefined],
  ['', undefined],
])('%j names %s', (sql, name) => {
  expect(engineNamed(Buffer.from(sql))).toBe(name);
});

test.each([
  '/*bigtrace: */',
  '/*bigtrace: engin=v52 */',
  '/*bigtrace: engine=a b */',
  '/*bigtrace: engine=v52',
])('%j is an error', (sql) => {
  expect(() => engineNamed(Buffer.from(`${sql} SELECT 1`))).toThrow('/*bigtrace: engine=NAME */');
});

test('an engine is named by its name or its version', () => {
  const engine = { engineName: 'mine', engine: 'Perfetto v52.0-6b9586def (6b95) digest' };
  const names = [
    'mine',
    'v52',
    'v52.0',
    'v52.0-6b9586def',
    'v5',
    'v52.',
    '52',
    'bundled',
    'mi',
    'v52.0-6',
  ];
  expect(names.filter((name) => namesEngine(name, engine))).toEqual(names.slice(0, 4));
  expect(engineText(engine)).toBe('mine (Perfetto v52.0-6b9586def)');
  expect(engineNamed(withEngineNamed(Buffer.from('SELECT 1'), 'mine'))).toBe('mine');
});
