/**
 * Translates a pattern (glob.ts) into RE2 expressions for ClickHouse's match(), from the same segments that stores match
 * with. The expressions expect text in the form of lib/common/text/byte-text.ts, in which a byte that is not UTF-8 is
 * one character, U+DC80 to U+DCFF. `escapedBytesSql` converts ClickHouse's strings to this form.
 */
import { bytesFromText, textFromBytes } from '../text/byte-text.ts';
import { literal as sqlLiteral } from '../text/sql-literal.ts';
import { beginsWithDot, type CharacterClass, type Token } from './name.ts';
import { endsWithBang, parsePattern, type Segment } from './segments.ts';

type Range = readonly [low: number, high: number];

const CODE_POINT_MAX = 0x10ffff;
const SLASH = 0x2f;
const DOT = 0x2e;

const ANY = '[^/]';
/** The first character of a name that a wildcard matches: no dot. */
const NO_DOT = '[^/.]';
const NOTHING = `[^\\x{0}-\\x{${CODE_POINT_MAX.toString(16)}}]`;

/** RE2 bounds the size of an expression, so the alternatives of a pattern may need several. */
const EXPRESSION_CHARS_MAX = 20_000;

/**
 * Returns SQL of the condition that a path matches the pattern.
 * @param text SQL of the path, from `escapedBytesSql`
 * @throws invalid_address if the pattern has too many alternatives
 */
export function patternConditionSql(pattern: string, text: string): string {
  // A lone surrogate that stands for no byte is converted as it is on its way to a store.
  const alternatives = parsePattern(textFromBytes(bytesFromText(pattern)));
  const byBangs = new Map<number, (readonly Segment[])[]>();
  for (const one of alternatives) {
    const bangs = directoriesWithBang(one);
    byBangs.set(bangs, [...(byBangs.get(bangs) ?? []), one]);
  }
  // A directory with `!` is matched only by a segment with `!`, and each such segment matches one: the numbers are equal.
  const conditions = [...byBangs].map(([bangs, some]) => {
    const matches = expressionsOf(some).map((one) => `match(${text}, ${sqlLiteral(one)})`);
    return `((${matches.join(' OR ')}) AND countSubstrings(${text}, '!/') = ${bangs})`;
  });
  return `(${conditions.join(' OR ')})`;
}

function directoriesWithBang(segments: readonly Segment[]): number {
  return segments.slice(0, -1).filter(endsWithBang).length;
}

/** Returns anchored expressions, one of which matches what one of the alternatives matches. */
function expressionsOf(alternatives: readonly (readonly Segment[])[]): string[] {
  const expressions: string[] = [];
  let group = '';
  for (const one of alternatives.map(alternative)) {
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

/** Matches a name that is not empty, and that begins with a dot only if the tokens do. */
function name(tokens: readonly Token[]): string {
  const [first, second] = tokens;
  if (first === undefined) return NOTHING;
  if (beginsWithDot(tokens)) return rest(tokens);
  if (first !== 'star') return token(first, true) + rest(tokens.slice(1));
  if (second === undefined || second === 'star') return `${NO_DOT}${ANY}*`;
  // The star matches something, or nothing: then the next token matches the beginning of the name.
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

/** @param without code points that the class never matches */
function characterClass({ negated, ranges }: CharacterClass, without: readonly number[]): string {
  const accepted = negated ? complement(merged(ranges)) : merged(ranges);
  const remaining = without.reduce<Range[]>(
    (from, code) => from.flatMap((range) => cut(range, code)),
    accepted,
  );
  if (remaining.length === 0) return NOTHING;
  return `[${remaining.map(([low, high]) => `${codePoint(low)}-${codePoint(high)}`).join('')}]`;
}

/** Returns the ranges in ascending order, without overlaps. */
function merged(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (low > high) continue;
    if (last !== undefined && low <= last[1] + 1)
      merged[merged.length - 1] = [last[0], Math.max(last[1], high)];
    else merged.push([low, high]);
  }
  return merged;
}

function complement(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) merged.push([from, low - 1]);
    from = high + 1;
  }
  return from > CODE_POINT_MAX ? merged : [...merged, [from, CODE_POINT_MAX]];
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
 * Returns SQL of the column's string with each byte that is not UTF-8 as the character U+DC00 plus that byte (three
 * bytes long).
 * @param column SQL of the column
 */
export function escapedBytesSql(column: string): string {
  // Splits into characters and other bytes. An encoded surrogate is not UTF-8, so it becomes three bytes.
  const units = `extractAll(${column}, '[\\\\x{80}-\\\\x{D7FF}\\\\x{E000}-\\\\x{10FFFF}]|\\\\C')`;
  const byte = 'reinterpretAsUInt8(u)';
  const escaped = `concat('\\xED', if(${byte} < 0xC0, '\\xB2', '\\xB3'), char(bitOr(0x80, bitAnd(${byte}, 0x3F))))`;
  const text = `arrayStringConcat(arrayMap(u -> if(length(u) = 1 AND ${byte} >= 0x80, ${escaped}, u), ${units}))`;
  return `if(isValidUTF8(${column}), ${column}, ${text})`;
}
