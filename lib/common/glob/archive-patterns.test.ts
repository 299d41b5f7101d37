import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ADDRESS_CHARS_MAX } from '../text/text-bounds.ts';
import { archivePatterns } from './archive-patterns.ts';
import { Glob } from './glob.ts';

test.each([
  ['a/*.zip!/**', 'a/x.zip', 'd/m'],
  ['**!/m', 'x', 'm'],
  ['a\\!/*', 'a', 'm'],
  ['{a,b!/c}!/{d,e}', 'a', 'e'],
  ['{a.zip!/x,b}', 'a.zip', 'x'],
  ['x!!/m', 'x!', 'm'],
  ['d!/x!/m', 'd!/x', 'm'],
  ['x!/d!/m', 'x', 'd!/m'],
])('%s matches the member of %s with the name %s', (pattern, archive, member) => {
  expect(
    archivePatterns(pattern)
      ?.membersIn(archive)
      .some((one) => one.matches(member)),
  ).toBe(true);
});

test.each(['a/**', 'a!', '!/a', 'a/[!]/b', '{a,b!}', ''])('%s matches no member', (pattern) => {
  expect(archivePatterns(pattern)).toBeUndefined();
});

test('archives are looked for at the last four borders only, as in an address', () => {
  const patterns = archivePatterns('a!/b!/c!/d!/e!/m');
  const archives = ['a', 'a!/b', 'a!/b!/c', 'a!/b!/c!/d', 'a!/b!/c!/d!/e'];
  expect(archives.map((archive) => patterns?.membersIn(archive).length)).toEqual([0, 1, 1, 1, 1]);
  // Splitting this one at each border took time and memory quadratic in its length.
  const longest = 'a!/'.repeat(ADDRESS_CHARS_MAX / 3);
  expect(archivePatterns(`${longest}m`)?.files.length).toBeLessThan(5 * ADDRESS_CHARS_MAX);
});

test('the bucket of an object store stays in front of the braces', () => {
  expect(archivePatterns('bucket/o/2026/**/*.zip!/*.x')?.files).toBe(
    'bucket/o/2026/**/{*.zip!/*.x,*.zip}',
  );
});

test('a pattern matches a member as it matches its address, and finds its archive', () => {
  const plain = ['a', 'b', '*', '**', '?', '[ab]', '[!a]', '.a', '{a,b}', '{,a}b', '{', '}', ','];
  const withBang = ['a!', '*!', '**!', '?!', '[ab]!', '[!]', '\\a\\!', '{a,b!}', '{a!/b,b}', '!'];
  const segments = (from: string[], minLength: number, maxLength: number) =>
    fc.array(fc.constantFrom(...from), { minLength, maxLength });
  const pattern = fc
    .tuple(segments([...plain, ...withBang], 0, 2), segments(withBang, 1, 1), segments(plain, 1, 2))
    .map((parts) => parts.flat().join('/'));
  const name = fc.constantFrom('a', 'a', 'a', 'b', 'b', 'ab', '.a', 'a!', 'b!', '{', ',', 'a\\');
  const path = fc.array(name, { minLength: 1, maxLength: 2 }).map((names) => names.join('/'));
  let matches = 0;
  fc.assert(
    fc.property(pattern, path, path, (text, archive, member) => {
      const expected = Glob.parse(text).matches(`${archive}!/${member}`);
      const patterns = archivePatterns(text);
      const members = patterns?.membersIn(archive) ?? [];
      expect(members.some((one) => one.matches(member))).toBe(expected);
      if (patterns === undefined) return;
      const files = Glob.parse(patterns.files);
      if (expected) matches++;
      if (members.length > 0) expect(files.matches(archive)).toBe(true);
      expect(files.matches(archive)).toBe(members.length > 0 || Glob.parse(text).matches(archive));
    }),
    { numRuns: 10_000 },
  );
  expect(matches).toBeGreaterThan(30);
});
