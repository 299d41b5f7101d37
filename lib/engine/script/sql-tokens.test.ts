import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scriptTraits } from './script-traits.ts';
import { sqlTokens, type Token } from './sql-tokens.ts';

function tokensOf(sql: string): Token[] {
  return [...sqlTokens(Buffer.from(sql, 'latin1'))];
}

/** The grammar as regular expressions, which are exact but backtrack. The scanner must return the same tokens. */
const GRAMMAR: readonly [kind: Token['kind'] | 'space', pattern: RegExp][] = [
  ['space', /[ \t\n\f]+|\r\n|--[^\n\r\0]*(?:\r?\n|$)|\/\*[^\0]*?\*\//y],
  ['string', /'(?:[^'\0]|'')*'(?!')/y],
  ['quoted', /"(?:[^"\0]|"")*"(?!")|`(?:[^`\0]|``)*`(?!`)|\[[^\]\0]*\]/y],
  ['number', /[xX]'[0-9A-Fa-f]*'/y],
  ['word', /(?![xX]')[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y],
  ['number', /(?:[0-9]|\.[0-9])[A-Za-z0-9_.]*/y],
  ['symbol', /!=|-(?!-)|\/(?!\*)|[+*%&|~<>=(),.;]/y],
];

/** Returns the kind and offset of each token, up to the first that SQLite may not accept. */
function byGrammar(sql: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < sql.length; ) {
    let matched = '';
    for (const [kind, pattern] of GRAMMAR) {
      pattern.lastIndex = at;
      matched = pattern.exec(sql)?.[0] ?? '';
      if (matched === '') continue;
      if (kind !== 'space') tokens.push(`${kind} ${at}`);
      break;
    }
    if (matched === '') return [...tokens, `unknown ${at}`];
    at += matched.length;
  }
  return tokens;
}

test('the scanner returns the tokens of the grammar, up to the first unknown one', () => {
  const piece = fc.constantFrom(
    ...["'", "''", '"', '`', '[', ']', '--', '/*', '*/', '\n', '\r', '\r\n', '\0', ' ', '\t'],
    ...['x', "x'", "X'0f'", '0', '.', '.5', '1e', 'a', 'select', '_', '$', '\xe9', '?', '#'],
    ...['!=', '!', '-', '/', '*', '(', ')', ';', ',', '=', '<', '|'],
  );
  let whole = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const sql = pieces.join('');
      const tokens = tokensOf(sql);
      const firstUnknown = tokens.findIndex(({ kind }) => kind === 'unknown');
      const known = firstUnknown < 0 ? tokens : tokens.slice(0, firstUnknown + 1);
      if (firstUnknown < 0) whole++;
      expect(known.map(({ kind, from }) => `${kind} ${from}`)).toEqual(byGrammar(sql));
    }),
    { numRuns: 20_000 },
  );
  expect(whole).toBeGreaterThan(1000);
});

test('the text of a string token is the quoted text, and its offset is that of the quote', () => {
  const text = fc
    .string({ unit: 'binary-ascii', maxLength: 12 })
    .map((one) => one.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (texts) => {
      const sql = texts.map((one) => `'${one.replaceAll("'", "''")}'`).join(' , ');
      const strings = tokensOf(sql).filter(({ kind }) => kind === 'string');
      expect(strings.map((token) => token.text)).toEqual(texts);
      for (const { from } of strings) expect(sql[from]).toBe("'");
    }),
  );
});

const MANY = 300_000;

// When the work grew with the square of the length, each took minutes or ended in "Maximum call stack size exceeded".
test.each([
  ['one long literal', `SELECT '${'x'.repeat(20 << 20)}'`],
  ['one long literal of quotes', `SELECT '${"''".repeat(5 << 20)}'`],
  ['one long comment', `SELECT 1 /*${'*'.repeat(20 << 20)}*/`],
  ['comments that do not end', '/*'.repeat(MANY)],
  ['literals that do not end', `${"'\0".repeat(MANY)}`],
  ['brackets that do not end', '['.repeat(MANY)],
  ['malformed blobs', "x'0".repeat(MANY)],
  ['nested calls', `WITH a AS (SELECT 1) SELECT ${'f('.repeat(MANY)}`],
  ['tables of WITH', `WITH ${'a(x) AS (SELECT 1), '.repeat(MANY / 10)} b AS (SELECT 1) SELECT 1`],
  ['an unfinished list of WITH', `WITH ${'a('.repeat(MANY)}) AS (SELECT 1`],
  ['nested dates', `SELECT ${'date('.repeat(MANY)}`],
  ['600,000 expressions', `SELECT ${'1,'.repeat(600_000)}1`],
])('%s: tokenizing takes time that grows with the length', (_, text) => {
  const sql = Buffer.from(text, 'latin1');
  let length = 0;
  for (const token of sqlTokens(sql)) length = token.from;
  expect(length).toBeLessThan(sql.length);
  expect(scriptTraits(sql).mutatesState).toBe(true); // too long to be analyzed
});

test('a script of nearly 1 MiB is analyzed', () => {
  const sql = `SELECT '${'x'.repeat((1 << 20) - 20)}'`;
  expect(scriptTraits(Buffer.from(sql)).mutatesState).toBe(false);
});
