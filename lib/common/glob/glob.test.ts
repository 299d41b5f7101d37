import fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { textFromBytes } from '../text/byte-text.ts';
import { Glob, leadsOn, onlyNames, step } from './glob.ts';

const matching: [string, string][] = [
  ['a.pftrace', 'a.pftrace'],
  ['*', 'a'],
  ['*', 'new\nline'],
  ['a*', 'a'],
  ['**', 'a'],
  ['**', 'a/b\n/c'],
  ['**/*.x', 'a.x'],
  ['**/*.x', 'a/b/c.x'],
  ['a/**/b', 'a/b'],
  ['a/**/b', 'a/x/y/b'],
  ['a/**', 'a/b/c'],
  ['**/**/a', 'a'],
  ['?', '😀'],
  ['?', textFromBytes(Buffer.of(0xff))],
  ['x?y', textFromBytes(Buffer.of(0x78, 0xff, 0x79))],
  ['[!a]', 'b'],
  ['[^a]', 'b'],
  ['[a-c]x', 'bx'],
  ['[]]', ']'],
  ['[!]]', 'a'],
  ['[\\]a]', ']'],
  ['[a-]', '-'],
  ['[😀-😂]', '😁'],
  ['[', '['],
  ['a[b*', 'a[bc'],
  ['{a,b}.x', 'b.x'],
  ['{a,b}/{c,d}', 'b/c'],
  ['{a/b,c}/*', 'a/b/x'],
  ['{a,{b,c}}x', 'cx'],
  ['x{,y}', 'x'],
  ['{a*,b}', 'axx'],
  ['{a}', '{a}'],
  ['{a', '{a'],
  ['a,b}', 'a,b}'],
  ['{a}{b,c}', '{a}c'],
  ['\\*', '*'],
  ['\\{a,b\\}', '{a,b}'],
  ['{a\\,b,c}', 'a,b'],
  ['\\d', 'd'],
  ['a\\', 'a\\'],
  ['a(b)*|+@!$^."\'', 'a(b)c|+@!$^."\''],
  ['.*', '.hidden'],
  ['.*', '..x'],
  ['**/.git/*', 'a/.git/b'],
  ['*.*', 'a.'],
  ['/a/*', '/a/b'],
  ['a//*', 'a//b'],
  ['*', 'a!'],
  ['*!/*', 'a!/b'],
  ['a[x!]!/b', 'ax!/b'],
];

test.each(matching)('%j matches %j', (pattern, path) => {
  expect(Glob.parse(pattern).matches(path)).toBe(true);
});

test.each([
  ['*', ''],
  ['*', 'a/b'],
  ['*', '.hidden'],
  ['?x', '.x'],
  ['[.]x', '.x'],
  ['**', '.hidden'],
  ['**', 'a/.hidden/b'],
  ['**/*.x', 'a/.x'],
  ['a/**', 'a'],
  ['a**', 'a/b'],
  ['?', 'ab'],
  ['[a/b]', '/'],
  ['[!a]', 'a'],
  ['[!a]', ''],
  ['{a,b}', '{a,b}'],
  ['\\*', 'a'],
  ['a.b*', 'axb'],
  ['A*', 'a'],
  ['a*b', 'abc'],
  ['**', 'a!/b'],
  ['*/b', 'a!/b'],
  ['a[!x]/b', 'a!/b'],
  ['*!/*', 'a!/b!/c'],
])('%j does not match %j', (pattern, path) => {
  expect(Glob.parse(pattern).matches(path)).toBe(false);
});

/** picomatch's fast paths are inexact: for `*.*` they require a character after the dot, unlike its rules and a shell. */
const EXACT = { fastpaths: false };

test('Glob matches the same paths as picomatch without its fast paths', () => {
  const text = (chars: string[]) =>
    fc.array(fc.constantFrom(...chars), { minLength: 1, maxLength: 9 }).map((all) => all.join(''));
  const name = text(['a', 'b', '.', 'c']).filter((part) => !part.startsWith('..') && part !== '.');
  const part = fc.oneof(
    fc.constant('**'),
    text(['a', 'b', '*', '?', '[ab]', '[a-c]', '{a,b}', '{a,*b}', '.']).filter(
      (pattern) => !pattern.includes('**') && !/^[[{.]/.test(pattern),
    ),
  );
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  // Patterns that end in ** are left out: in picomatch `a/**` also matches `a`.
  const pattern = fc
    .tuple(fc.array(part, { maxLength: 3 }), part)
    .map(([parts, last]) => [...parts, last].join('/'))
    .filter((glob) => !glob.endsWith('**') && glob.split('{').length <= 9);
  let matches = 0;
  fc.assert(
    fc.property(pattern, path, (glob, candidate) => {
      const expected = picomatch.makeRe(glob, EXACT).test(candidate);
      if (expected) matches++;
      expect([glob, candidate, Glob.parse(glob).matches(candidate)]).toEqual([
        glob,
        candidate,
        expected,
      ]);
    }),
    { numRuns: 5000 },
  );
  expect(matches).toBeGreaterThan(50);
});

test('a hostile pattern is matched in time proportional to pattern times name', () => {
  const glob = Glob.parse(`${'*a'.repeat(2000)}b`);
  expect(glob.matches('a'.repeat(4000))).toBe(false); // with backtracking this would not end
});

test('step returns each place once', () => {
  const glob = Glob.parse(`${'**/*/'.repeat(12)}x`);
  const path = Array.from({ length: 120 }, (_, nth) => `d${nth}`);
  let places = glob.begin();
  for (const name of path) {
    places = step(places, name);
    expect(places.length).toBeLessThan(30);
  }
  expect(glob.matches([...path, 'x'].join('/'))).toBe(true);
  expect(glob.matches(path.join('/'))).toBe(false);
});

// Parsing each of these once took time quadratic in its length.
test.each(['[', '{', '{,', '[!', '{a}', '\\[', '**/', '{a,{b}'])(
  '20,000 repetitions of %s are parsed in linear time',
  (piece) => {
    const pattern = piece.repeat(20_000);
    const parse = (): boolean => Glob.parse(pattern).matches('a');
    expect(piece.includes(',') ? [true, false] : [false]).toContain(outcomeOf(parse));
  },
);

function outcomeOf(parse: () => boolean): boolean {
  try {
    return parse();
  } catch (thrown) {
    expect((thrown as Error).message).toContain('braces stand for more than');
    return true;
  }
}

test('alternatives with the same rest share its places', () => {
  const names = Array.from({ length: 500 }, (_, nth) => `n${nth}`);
  const glob = Glob.parse(`{${names.join(',')}}/**/x`);
  expect(step(glob.begin(), 'n7')).toHaveLength(2);
  expect(glob.matches('n499/a/b/x')).toBe(true);
});

test('braces with too many alternatives are rejected', () => {
  expect(() => Glob.parse('{a,b}'.repeat(20))).toThrow(
    "the pattern's braces stand for more than 1000 patterns",
  );
});

test.each([
  ['a/b.x', 'a/b.x'],
  ['a/*/b*', 'a/'],
  ['a/b*', 'a/b'],
  ['**', ''],
  ['a/**', 'a/'],
  ['{ab,ac}/x', 'a'],
  ['\\*a*', '*a'],
  ['{😀,😁}', ''],
])('paths that match %j begin with %j', (pattern, prefix) => {
  expect(Glob.parse(pattern).literalPrefix).toBe(prefix);
});

test('onlyNames and leadsOn report how a path can continue', () => {
  const glob = Glob.parse('a/*/{b,c}*/**/d');
  const at = (...names: string[]) => names.reduce((from, name) => step(from, name), glob.begin());
  expect(onlyNames(at())).toEqual(['a']);
  expect(onlyNames(at('a'))).toBeUndefined();
  expect(leadsOn(at('z'))).toBe(false);
  expect(leadsOn(at('a', 'x', 'b1'))).toBe(true);
  expect(leadsOn(at('a', 'x', 'd'))).toBe(false);
});
