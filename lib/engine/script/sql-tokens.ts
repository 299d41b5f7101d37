/**
 * Splits SQL into tokens as SQLite does, as far as needed to see what a script calls. Text that SQLite would reject,
 * or might read differently, is a token of kind `unknown`.
 *
 * The scanner reads every byte once, because scripts come from clients and may be long (SQL_BYTES_MAX).
 */

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'unknown';

export interface Token {
  kind: TokenKind;
  /** Words are in lower case, quoted names and strings without their quotes, other tokens as in the script. */
  text: string;
  /** Offset of the token's first byte in the script. */
  from: number;
}

/** A token or white space, which begins at a known offset and ends at `end`. */
interface Piece {
  kind: TokenKind | 'space';
  end: number;
}

// The classes of a byte, as bits. Bytes beyond ASCII are letters of words.
const WORD_BEGINS = 1;
const WORD_GOES_ON = 2;
const NUMBER_GOES_ON = 4;
const DIGIT = 8;
const HEX_DIGIT = 16;
const BLANK = 32;
const SYMBOL = 64;
const IN_LINE_COMMENT = 128;

const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  const when = (flag: number, pattern: RegExp): number => (pattern.test(char) ? flag : 0);
  return (
    when(WORD_BEGINS, /[A-Za-z_\x80-\xff]/) |
    when(WORD_GOES_ON, /[A-Za-z0-9_$\x80-\xff]/) |
    when(NUMBER_GOES_ON, /[A-Za-z0-9_.]/) |
    when(DIGIT, /[0-9]/) |
    when(HEX_DIGIT, /[0-9A-Fa-f]/) |
    when(BLANK, /[ \t\n\f]/) |
    when(SYMBOL, /[-+*/%&|~<>=(),.;]/) |
    when(IN_LINE_COMMENT, /[^\n\r\0]/)
  );
});

const code = (char: string): number => char.charCodeAt(0);
const NEWLINE = code('\n');
const RETURN = code('\r');
const MINUS = code('-');
const SLASH = code('/');
const STAR = code('*');
const DOT = code('.');
const EQUALS = code('=');
const EXCLAMATION = code('!');
const APOSTROPHE = code("'");
const QUOTES = new Set(['"', '`'].map(code));
const BRACKET = code('[');
const X = new Set(['x', 'X'].map(code));

/** Yields the tokens of a script, one at a time, so that the caller can stop early. */
export function* sqlTokens(sql: Uint8Array): Generator<Token, void, undefined> {
  const bytes = Buffer.from(sql.buffer, sql.byteOffset, sql.byteLength);
  for (let from = 0; from < bytes.length; ) {
    const { kind, end } = pieceAt(bytes, from);
    if (kind !== 'space')
      yield { kind, text: textOf(kind, bytes.toString('latin1', from, end)), from };
    from = end;
  }
}

function pieceAt(bytes: Buffer, at: number): Piece {
  const byte = bytes[at] ?? 0;
  const next = bytes[at + 1] ?? 0;
  const classes = CLASSES[byte] ?? 0;
  if (classes & BLANK) return { kind: 'space', end: endOf(BLANK, bytes, at + 1) };
  if (byte === RETURN && next === NEWLINE) return { kind: 'space', end: at + 2 };
  if (byte === MINUS && next === MINUS) return lineComment(bytes, at);
  if (byte === SLASH && next === STAR)
    return closed('space', bytes, at, bytes.indexOf('*/', at + 2), 2);
  if (byte === APOSTROPHE) return closed('string', bytes, at, closingQuote(bytes, at), 1);
  if (QUOTES.has(byte)) return closed('quoted', bytes, at, closingQuote(bytes, at), 1);
  if (byte === BRACKET) return closed('quoted', bytes, at, bytes.indexOf(']', at + 1), 1);
  if (X.has(byte) && next === APOSTROPHE) return blob(bytes, at);
  if (classes & WORD_BEGINS) return { kind: 'word', end: endOf(WORD_GOES_ON, bytes, at + 1) };
  if (classes & DIGIT || (byte === DOT && (CLASSES[next] ?? 0) & DIGIT))
    return { kind: 'number', end: endOf(NUMBER_GOES_ON, bytes, at + 1) };
  if (byte === EXCLAMATION && next === EQUALS) return { kind: 'symbol', end: at + 2 };
  return { kind: classes & SYMBOL ? 'symbol' : 'unknown', end: at + 1 };
}

/**
 * Returns the piece that ends at `close`. If it has no end (-1), or contains a NUL, at which SQLite stops, the rest of
 * the script is one unknown token.
 */
function closed(
  kind: Piece['kind'],
  bytes: Buffer,
  from: number,
  close: number,
  closeLength: number,
): Piece {
  const isWhole = close >= 0 && !bytes.subarray(from, close).includes(0);
  return isWhole ? { kind, end: close + closeLength } : { kind: 'unknown', end: bytes.length };
}

/** Returns the offset of the closing quote, or -1. A doubled quote is a quote in the text. */
function closingQuote(bytes: Buffer, open: number): number {
  const quote = bytes[open] ?? 0;
  let at = bytes.indexOf(quote, open + 1);
  while (at >= 0 && bytes[at + 1] === quote) at = bytes.indexOf(quote, at + 2);
  return at;
}

/** Returns a comment up to the end of the line. After a lone carriage return or a NUL, the rest is unknown. */
function lineComment(bytes: Buffer, at: number): Piece {
  const end = endOf(IN_LINE_COMMENT, bytes, at + 2);
  if (end === bytes.length) return { kind: 'space', end };
  if (bytes[end] === NEWLINE) return { kind: 'space', end: end + 1 };
  if (bytes[end] === RETURN && bytes[end + 1] === NEWLINE) return { kind: 'space', end: end + 2 };
  return { kind: 'unknown', end: bytes.length };
}

function blob(bytes: Buffer, at: number): Piece {
  const close = endOf(HEX_DIGIT, bytes, at + 2);
  return bytes[close] === APOSTROPHE
    ? { kind: 'number', end: close + 1 }
    : { kind: 'unknown', end: at + 2 };
}

function endOf(classes: number, bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (CLASSES[bytes[at] ?? 0] ?? 0) & classes) at++;
  return at;
}

function textOf(kind: TokenKind, source: string): string {
  if (kind === 'word') return source.toLowerCase();
  if (kind !== 'string' && kind !== 'quoted') return source;
  const quote = source.slice(-1);
  return source.slice(1, -1).replaceAll(quote + quote, quote);
}
