import { expect, test } from 'vitest';
import { textFromBytes } from '../lib/common/text/byte-text.ts';
import { quoted, tsvRow } from './tsv.ts';

test('SQL literals represent any byte and are well-formed text', () => {
  expect(quoted("it's\n\\")).toBe("'it\\'s\\n\\\\'");
  expect(quoted('größer 🙂')).toBe("'größer 🙂'");
  const name = textFromBytes(Buffer.from([0x61, 0xe9, 0xc3, 0xb6, 0x27]));
  expect(quoted(name)).toBe("'a\\xe9\\xc3\\xb6\\''");
  expect(quoted(name).isWellFormed()).toBe(true);
});

test('rows contain any byte unchanged', () => {
  const name = textFromBytes(Buffer.from([0x61, 0xe9, 0x09]));
  expect(tsvRow([name, 1n, null, new Map([['a', "b'"]])]).toString('latin1')).toBe(
    "a\xe9\\t\t1\t\\N\t{'a':'b\\''}\n",
  );
});
