import { expect, test } from 'vitest';
import { textFromBytes } from '../common/text/byte-text.ts';
import { tsvRow } from './tsv.ts';

test('rows contain any byte unchanged', () => {
  const name = textFromBytes(Buffer.from([0x61, 0xe9, 0x09]));
  expect(tsvRow([name, 1n, null, new Map([['a', "b'"]])]).toString('latin1')).toBe(
    "a\xe9\\t\t1\t\\N\t{'a':'b\\''}\n",
  );
});
