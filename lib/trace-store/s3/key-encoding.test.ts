import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyEncoding } from './key-encoding.ts';

const SERVERS = {
  amazon: (key: string) => encodeURIComponent(key).replaceAll('%20', '+'),
  'leaves the plus': (key: string) =>
    encodeURIComponent(key).replaceAll('%2B', '+').replaceAll('%2F', '/'),
  'does not encode': (key: string) => key,
};

test.each(Object.entries(SERVERS))(
  'every key of a server that %s is read back',
  async (_, encode) => {
    const key = fc.string({ unit: fc.constantFrom('a', '+', ' ', '%', '2', 'B', '/', 'ö') });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { minLength: 1 }), async (keys) => {
        const encoding = new KeyEncoding();
        const bucket = new Set(keys);
        for (const one of keys) {
          // If the bucket contains two decodings of a key, nothing can tell them apart.
          const others = [one.replaceAll('+', ' '), one.replaceAll(' ', '+'), encode(one)];
          if (others.some((other) => other !== one && bucket.has(other))) continue;
          expect(await encoding.decode(encode(one), async (name) => bucket.has(name))).toBe(one);
        }
      }),
    );
  },
);

test('the server is queried only until its encoding is known', async () => {
  const encoding = new KeyEncoding();
  const requested: string[] = [];
  const has = async (name: string): Promise<boolean> => {
    requested.push(name);
    return name === 'a+b' || name === 'c+d e';
  };
  expect(await encoding.decode('plain', has)).toBe('plain');
  expect(requested).toEqual([]);
  expect(await encoding.decode('a+b', has)).toBe('a+b');
  expect(requested).toEqual(['a b', 'a+b']);
  expect(await encoding.decode('c+d%20e', has)).toBe('c+d e');
  expect(requested).toEqual(['a b', 'a+b', 'c+d e']);
  expect(await encoding.decode('e+f%20g', has)).toBe('e+f g');
  expect(requested).toHaveLength(3);
});
