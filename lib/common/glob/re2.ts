/**
 * A pattern (glob.ts) as regular expressions of RE2, which ClickHouse's match() takes, made of the same
 * segments that stores match by. They read text as lib/common/text/byte-text.ts has it: a byte that is no UTF-8 is
 * one character, U+DC80 to U+DCFF; `escapedBytesSql` makes ClickHouse's strings such text.
 */
import { bytesFromText, textFromBytes } from '../text/byte-text.ts';
import { beginsWithDot, type CharacterClass, type Token } from './name.ts';
import { parsePattern, type Segment } from './segments.ts';

type Range = readonly [low: number, high: number];

const CODE_POINT_MAX = 0x10ffff;
const SLASH = 0x2f;
const DOT = 0x2e;

const ANY = '[^/]';
/** A name that a wildcard in front may stand for does not begin with a dot. */
const NO_DOT = '[^/.]';
const NOTHING = `[^\\x{0}-\\x{${CODE_POINT_MAX.toString(16)}}]`;

/** RE2 bounds the size of one expression; alternatives of a pattern may be spread over several. */
const EXPRESSION_CHARS_MAX = 20_000;

/**
 * Whoever matches one of them, whole, matches the pattern.
 * @throws invalid_address for a pattern of too many alternatives
 */
export function patternExpressions(pattern: string): string[] {
  // What is no text and no byte either becomes what it becomes on its way to a store.
  const alternatives = parsePattern(textFromBytes(bytesFromText(pattern))).map(alternative);
  const expressions: string[] = [];
  let group = '';
  for (const one of alternatives) {
    const longer = group === '' ? one : `${group}|${one}`;
    if (group !== '' && longer.length > EXPRESSION_CHARS_MAX) {
      expressions.push(whole(group));
      group = one;
    } else group = longer;
  }
  return [...expressions, whole(group)];
}

const whole = (alternatives: string): string => `^(?:${alternatives})$`;

function alternative(segments: readonly Segment[]): string {
  return segments
    .map((segment, at) => {
      const slash = at + 1 < segments.length ? '/' : '';
      if (segment === 'globstar') return `(?:(?:${NO_DOT}${ANY}*)?/)*`;
      return ('literal' in segment ? literal(segment.literal) : name(segment.tokens)) + slash;
    })
    .join('');
}

function literal(text: string): string {
  return [...text].map(character).join('');
}

/** A name is not empty, and begins with a dot only where the tokens do. */
function name(tokens: readonly Token[]): string {
  const [first, second] = tokens;
  if (first === undefined) return NOTHING;
  if (beginsWithDot(tokens)) return rest(tokens);
  if (first !== 'star') return token(first, true) + rest(tokens.slice(1));
  if (second === undefined || second === 'star') return `${NO_DOT}${ANY}*`;
  // The star stands for something, or for nothing: then what follows begins the name.
  const something = `${NO_DOT}${ANY}*${token(second, false)}`;
  return `(?:${something}|${token(second, true)})${rest(tokens.slice(2))}`;
}

function rest(tokens: readonly Token[]): string {
  return tokens.map((one) => (one === 'star' ? `${ANY}*` : token(one, false))).join('');
}

function token(one: Exclude<Token, 'star'>, beginsName: boolean): string {
  if (one === 'any') return beginsName ? NO_DOT : ANY;
  if ('char' in one) return beginsName && one.char === '.' ? NOTHING : character(one.char);
  return characterClass(one, beginsName ? [SLASH, DOT] : [SLASH]);
}

function character(char: string): string {
  return /[A-Za-z0-9_/]/.test(char) ? char : codePoint(char.codePointAt(0) ?? 0);
}

/** @param without code points that it does not have in any case */
function characterClass({ negated, ranges }: CharacterClass, without: readonly number[]): string {
  const taken = negated ? complement(merged(ranges)) : merged(ranges);
  const left = without.reduce<Range[]>(
    (from, code) => from.flatMap((range) => cut(range, code)),
    taken,
  );
  if (left.length === 0) return NOTHING;
  return `[${left.map(([low, high]) => `${codePoint(low)}-${codePoint(high)}`).join('')}]`;
}

/** Ascending, without overlaps. */
function merged(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = found.at(-1);
    if (low > high) continue;
    if (last !== undefined && low <= last[1] + 1)
      found[found.length - 1] = [last[0], Math.max(last[1], high)];
    else found.push([low, high]);
  }
  return found;
}

function complement(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) found.push([from, low - 1]);
    from = high + 1;
  }
  return from > CODE_POINT_MAX ? found : [...found, [from, CODE_POINT_MAX]];
}

function cut([low, high]: Range, code: number): Range[] {
  if (code < low || code > high) return [[low, high]];
  return [
    ...(low < code ? [[low, code - 1] as const] : []),
    ...(code < high ? [[code + 1, high] as const] : []),
  ];
}

function codePoint(code: number): string {
  return `\\x{${code.toString(16)}}`;
}

/**
 * SQL: a string column with each byte that is no UTF-8 as the character U+DC00 plus that byte, three bytes long.
 * @param column SQL of the column
 */
export function escapedBytesSql(column: string): string {
  // One character, or else one byte; what RE2 takes for a surrogate is three bytes that are no UTF-8.
  const units = `extractAll(${column}, '[\\\\x{80}-\\\\x{D7FF}\\\\x{E000}-\\\\x{10FFFF}]|\\\\C')`;
  const byte = 'reinterpretAsUInt8(u)';
  const escaped = `concat('\\xED', if(${byte} < 0xC0, '\\xB2', '\\xB3'), char(bitOr(0x80, bitAnd(${byte}, 0x3F))))`;
  const text = `arrayStringConcat(arrayMap(u -> if(length(u) = 1 AND ${byte} >= 0x80, ${escaped}, u), ${units}))`;
  return `if(isValidUTF8(${column}), ${column}, ${text})`;
}
