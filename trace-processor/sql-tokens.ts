/**
 * SQL cut into tokens as SQLite cuts it, as far as it takes to see what a script calls. Whatever SQLite
 * would not take, or might take otherwise, is a token of kind `unknown`.
 */

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'unknown';

export interface Token {
  kind: TokenKind;
  /** Words in lower case; quoted names and strings without their quotes; symbols one character. */
  text: string;
}

/** Sticky, tried in this order. SQL is read as Latin-1: any byte is a character, those of UTF-8 word ones. */
const PATTERNS: readonly [kind: TokenKind | 'space', pattern: RegExp][] = [
  ['space', /[ \t\n\f]+|\r\n|--[^\n\r\0]*(?:\r?\n|$)|\/\*[^\0]*?\*\//y],
  ['string', /'(?:[^'\0]|'')*'/y],
  ['quoted', /"(?:[^"\0]|"")*"|`(?:[^`\0]|``)*`|\[[^\]\0]*\]/y],
  ['number', /[xX]'[0-9A-Fa-f]*'/y], // a blob
  ['unknown', /[xX]'|["'`[]|\/\*/y],
  ['word', /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y],
  ['number', /(?:[0-9]|\.[0-9])[A-Za-z0-9_.]*/y],
  ['symbol', /!=|[-+*/%&|~<>=(),.;]/y],
];

export function sqlTokens(sql: Uint8Array): Token[] {
  const text = Buffer.from(sql.buffer, sql.byteOffset, sql.byteLength).toString('latin1');
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const { kind, length } = match(text, at);
    if (kind !== 'space') tokens.push(tokenOf(kind, text.slice(at, at + length)));
    at += length;
  }
  return tokens;
}

function match(text: string, at: number): { kind: TokenKind | 'space'; length: number } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const length = pattern.exec(text)?.[0].length ?? 0;
    if (length > 0) return { kind, length };
  }
  return { kind: 'unknown', length: 1 };
}

function tokenOf(kind: TokenKind, source: string): Token {
  if (kind === 'word') return { kind, text: source.toLowerCase() };
  if (kind !== 'string' && kind !== 'quoted') return { kind, text: source };
  const quote = source.slice(-1);
  return { kind, text: source.slice(1, -1).replaceAll(quote + quote, quote) };
}
