/** Tests that patterns of addresses match the same in stores and, as regular expressions, in ClickHouse. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Glob } from '../../lib/common/glob/glob.ts';
import { escapedBytesSql, patternConditionSql } from '../../lib/common/glob/re2.ts';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
}, 60_000);
afterAll(() => engine?.[Symbol.asyncDispose]());

/** Converts to bytes and back: two halves of a character that become adjacent form that character. */
const asText = (text: string): string => textFromBytes(bytesFromText(text));

/** Returns, for each pattern, the paths that ClickHouse matches. */
async function byClickHouse(patterns: string[], paths: string[]): Promise<string[][]> {
  const values = paths.map((path) => `'${bytesFromText(path).toString('hex')}'`).join(', ');
  const rows = await rowsOf(
    engine.as('admin'),
    `SELECT [${patterns.map((one) => patternConditionSql(one, 'text')).join(', ')}] FROM (
       SELECT unhex(arrayJoin([${values}])) AS path, ${escapedBytesSql('path')} AS text)`,
  );
  const matching = rows.map(([matches]) => matches as number[]);
  return patterns.map((_, nth) => paths.filter((_, at) => matching[at]?.[nth] === 1));
}

function byStores(patterns: string[], paths: string[]): string[][] {
  return patterns.map((pattern) => {
    const glob = Glob.parse(pattern);
    return paths.filter((path) => glob.matches(path));
  });
}

test.each([
  ['{a}', ['{a}'], ['a']],
  ['[.]x', [], ['.x', 'x']],
  ['{a,{b}', ['{a,{b}'], ['a', '{b', 'b']],
  ['[!a]', ['b', 'é', '\udcff'], ['a', '/', '.', '']],
  ['[^a-c.]x', ['dx'], ['ax', '.x']],
  ['x[.-0]', ['x.', 'x0'], ['x/', 'x1']],
  ['[]]', [']'], ['[]]']],
  ['\\*\\[', ['*['], ['a[']],
  ['?', ['a', 'é', '😀', '\udcc3'], ['ab', '.', '', '/']],
  ['*.x', ['a.x', 'a..x'], ['.x', 'x']],
  ['*?', ['a', 'ab'], ['.a', '']],
  ['*[!x]y', ['ay', 'aay'], ['.y', '.ay', 'y']],
  ['**/x', ['x', 'a/x', 'a//x'], ['.a/x', 'a/.b/x', 'xx']],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'a/', 'a/.b']],
  ['{*,x}*', ['a', 'x/y', 'xy'], ['.a', 'x/.y']],
  ['\udcff*', ['\udcff', '\udcffa'], ['ÿ', 'a']],
  ['**', ['a', 'a/b', 'a!'], ['a!/b', 'a/b!/c', '!/a']],
  [
    '**/*.zip!/**',
    ['a.zip!/b', 'd/a.zip!/b/c'],
    ['a.zip/b', 'a.zip', 'a.zip!/b!/c', 'd!/a.zip!/b'],
  ],
  ['*/*', ['a/b', 'a/b!'], ['a!/b', 'a/']],
  ['a?/[b!]/x', ['ab/b/x'], ['a!/b/x', 'ab/!/x']],
  ['{a,a!}/**', ['a/x', 'a!/x'], ['a!/x!/y', 'a']],
  ['a\\!/*', ['a!/x'], ['a/x']],
])('%j', async (pattern, matched, others) => {
  const paths = [...matched, ...others];
  expect(byStores([pattern], paths)).toEqual([matched]);
  expect(await byClickHouse([pattern], paths)).toEqual([matched]);
});

test('stores and ClickHouse agree on any pattern and any path', async () => {
  const joined = (pieces: string[], maxLength: number) =>
    fc
      .array(fc.constantFrom(...pieces), { maxLength })
      .map((all) => asText(`/local/${all.join('')}`));
  const shared = [
    'a',
    'b',
    'c',
    '.',
    '/',
    '/',
    '!',
    '!/',
    'é',
    '😀',
    '\udcff',
    '\udcc3',
    '\udca9',
    '\n',
    ',',
  ];
  const pattern = joined(
    [
      ...shared,
      ...['*', '*', '**', '**/', '/**/', '?', '\\', '\\*', '\\[', '\\{', '\\]', '[', ']', '{', '}'],
      ...['[ab]', '[!a]', '[^.]', '[a-c]', '[c-a]', '[.-0]', '[]a]', '[!]a]', '[\\]-a]', '[é-😀]'],
      ...[
        '[\udc80-\udcff]',
        '[!\udcff]',
        '{a}',
        '{a,b}',
        '{a/b,.c}',
        '{,x}',
        '{a,{b}',
        '{a,{b,*}}',
      ],
    ],
    7,
  );
  const path = joined([...shared, '\\', '[', ']', '{', '}', '*', '!', '-'], 6);
  let matches = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(pattern, { minLength: 60, maxLength: 60 }),
      fc.array(path, { minLength: 60, maxLength: 60 }),
      async (patterns, paths) => {
        const expected = byStores(patterns, paths);
        matches += expected.flat().length;
        const matching = await byClickHouse(patterns, paths);
        expect(patterns.map((one, at) => [one, matching[at]])).toEqual(
          patterns.map((one, at) => [one, expected[at]]),
        );
      },
    ),
    { numRuns: 15 },
  );
  expect(matches).toBeGreaterThan(300);
});

test('ClickHouse accepts the longest patterns', async () => {
  const alternatives = Array.from({ length: 1000 }, (_, nth) => `*x?${nth}`).join(',');
  const pattern = `/local/**/{${alternatives}}`;
  expect(await byClickHouse([pattern], ['/local/a/yxz999', '/local/yxz1000'])).toEqual([
    ['/local/a/yxz999'],
  ]);
  const stars = `/local/${'*a'.repeat(4000)}`;
  expect(await byClickHouse([stars], [`/local/${'a'.repeat(4000)}`, '/local/a'])).toEqual([
    [`/local/${'a'.repeat(4000)}`],
  ]);
});
