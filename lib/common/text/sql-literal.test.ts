import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textFromBytes } from './byte-text.ts';
import { arrayLiteral, identifier, literal } from './sql-literal.ts';

test('a literal represents any byte and is well-formed text', () => {
  expect(literal("it's\n\\\0")).toBe("'it\\'s\n\\\\\\0'");
  expect(literal('größer 🙂')).toBe("'größer 🙂'");
  const name = textFromBytes(Buffer.from([0x61, 0xe9, 0xc3, 0xb6, 0x27]));
  expect(literal(name)).toBe("'a\\xe9ö\\''");
  expect(literal(name).isWellFormed()).toBe(true);
  expect(arrayLiteral(['a', "'"])).toBe("['a', '\\'']");
});

test('a quoted name is one line', () => {
  expect(identifier('a`\\b\n\r\t\0')).toBe('`a\\`\\\\b\\n\\r\\t\\0`');
});

const UNESCAPES: Record<string, string> = { '0': '\0', n: '\n', r: '\r', t: '\t' };

/** Unquotes as ClickHouse does: a backslash escapes the next character. */
function read(quoted: string, quote: string): string {
  expect(quoted.at(0)).toBe(quote);
  let text = '';
  let at = 1;
  for (; at < quoted.length && quoted[at] !== quote; at++) {
    if (quoted[at] !== '\\') text += quoted[at];
    else text += UNESCAPES[quoted[++at] ?? ''] ?? quoted[at];
  }
  expect(at).toBe(quoted.length - 1);
  return text;
}

const nasty = fc.string({
  unit: fc.constantFrom('a', "'", '`', '\\', '\0', '\n', '0', 'é', ';', '-'),
});

test('unquoting a literal or identifier returns the original text', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      expect(read(literal(text), "'")).toBe(text);
      expect(read(identifier(text), '`')).toBe(text);
    }),
  );
});
