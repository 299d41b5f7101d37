/**
 * Patterns over paths: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of directories, and a
 * backslash before a character that means itself. A name that begins with a dot is matched only by a
 * pattern that has the dot there too. Whatever else is in a pattern or a name (newlines, quotes,
 * parentheses, bytes that are no UTF-8) means itself, and matching takes time in proportion to pattern times name.
 *
 * A pattern is followed down a path component by component (`begin`, `step`), so that a walk of
 * directories enters only those where something can match.
 */
import { BigtraceError } from '../common/errors.ts';

/** One character of a name, tested; `star` is any number of any. */
type Token = { char: string } | 'any' | 'star' | CharacterClass;

interface CharacterClass {
  negated: boolean;
  /** Inclusive, by code point. */
  ranges: readonly (readonly [number, number])[];
}

/** One component of a pattern. */
type Segment = { literal: string } | { tokens: readonly Token[] } | 'globstar';

/** `{…}` is written out, as shells do it; this bounds what a hostile pattern can cost. */
const ALTERNATIVES_MAX = 1000;

/** A place in the pattern: which alternative, and how many of its segments are used up. */
interface Place {
  segments: readonly Segment[];
  at: number;
}

/** All the places where a path may have come to. Empty: nothing below it matches. */
export type Places = readonly Place[];

export class Glob {
  readonly #alternatives: readonly (readonly Segment[])[];

  private constructor(alternatives: readonly (readonly Segment[])[]) {
    this.#alternatives = alternatives;
  }

  /** @throws invalid_address for a pattern of too many alternatives */
  static parse(pattern: string): Glob {
    return new Glob(expandBraces(pattern).map(segmentsOf));
  }

  begin(): Places {
    return this.#alternatives.flatMap((segments) => placesFrom(segments, 0));
  }

  matches(path: string): boolean {
    const places = path.split('/').reduce((from, name) => step(from, name), this.begin());
    return isMatch(places);
  }

  /** What every path that matches begins with. */
  get literalPrefix(): string {
    return this.#alternatives.map(literalStart).reduce(commonPrefix);
  }
}

/** @param options.throughGlobstar false keeps `**` from taking `name`, which is a link to a directory */
export function step(places: Places, name: string, options = { throughGlobstar: true }): Places {
  return places.flatMap(({ segments, at }) => {
    const segment = segments[at];
    if (segment === undefined) return [];
    if (segment !== 'globstar')
      return matchesName(segment, name) ? placesFrom(segments, at + 1) : [];
    return options.throughGlobstar && !name.startsWith('.') ? placesFrom(segments, at) : [];
  });
}

/** Whether the path that led here is a whole match. */
export function isMatch(places: Places): boolean {
  return places.some(({ segments, at }) => at === segments.length);
}

/** Whether a longer path can match. */
export function leadsOn(places: Places): boolean {
  return places.some(({ segments, at }) => at < segments.length);
}

/** The only names that can follow, where there are no more than a few: no need to list a directory. */
export function onlyNames(places: Places): string[] | undefined {
  const names = new Set<string>();
  for (const { segments, at } of places) {
    const segment = segments[at];
    if (segment === undefined) continue;
    if (segment === 'globstar' || !('literal' in segment)) return undefined;
    names.add(segment.literal);
  }
  return [...names];
}

/** `**` may stand for nothing, so behind it is a place too. */
function placesFrom(segments: readonly Segment[], at: number): Place[] {
  const place = { segments, at };
  return segments[at] === 'globstar' ? [place, ...placesFrom(segments, at + 1)] : [place];
}

function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const pending = [pattern];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const brace = firstBrace(next);
    if (brace === undefined) done.push(next);
    else pending.push(...brace.toReversed());
    if (done.length + pending.length > ALTERNATIVES_MAX)
      throw new BigtraceError(
        'invalid_address',
        `the pattern's braces stand for more than ${ALTERNATIVES_MAX} patterns`,
      );
  }
  return [...new Set(done)];
}

/** The pattern once for each alternative of its first `{…,…}`; a brace without a comma means itself. */
function firstBrace(pattern: string): string[] | undefined {
  for (let open = nextBrace(pattern, 0); open >= 0; open = nextBrace(pattern, open + 1)) {
    const commas: number[] = [];
    let depth = 0;
    for (let at = open; at < pattern.length; at++) {
      const char = pattern[at];
      if (char === '\\') at++;
      else if (char === '{') depth++;
      else if (char === ',' && depth === 1) commas.push(at);
      else if (char === '}' && --depth === 0) {
        if (commas.length === 0) break;
        const ends = [...commas, at];
        return ends.map((end, nth) => {
          const begin = nth === 0 ? open + 1 : (ends[nth - 1] ?? 0) + 1;
          return pattern.slice(0, open) + pattern.slice(begin, end) + pattern.slice(at + 1);
        });
      }
    }
  }
  return undefined;
}

function nextBrace(pattern: string, from: number): number {
  for (let at = from; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === '{') return at;
  }
  return -1;
}

function segmentsOf(pattern: string): Segment[] {
  const segments = pattern.split('/').map((text): Segment => {
    if (text === '**') return 'globstar';
    const tokens = tokensOf(text);
    const literal = literalOf(tokens);
    return literal.length === tokens.length ? { literal: literal.join('') } : { tokens };
  });
  // A trace is a file: `a/**` stands for what is in a, not for a.
  if (segments.at(-1) === 'globstar') segments.push({ tokens: ['star'] });
  // `**/**` is `**`, and would only cost.
  return segments.filter(
    (segment, at) => segment !== 'globstar' || segments[at - 1] !== 'globstar',
  );
}

function tokensOf(text: string): Token[] {
  const chars = [...text];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const found = char === '[' ? classAt(chars, at) : undefined;
    if (found !== undefined) {
      tokens.push(found.token);
      at = found.end;
    } else if (char === '\\' && at + 1 < chars.length) {
      tokens.push({ char: chars[++at] ?? '' });
    } else if (char === '*') {
      if (tokens.at(-1) !== 'star') tokens.push('star');
    } else {
      tokens.push(char === '?' ? 'any' : { char });
    }
  }
  return tokens;
}

/** `[…]`: `]` first means itself; without a closing bracket there is no class. */
function classAt(
  chars: readonly string[],
  open: number,
): { token: CharacterClass; end: number } | undefined {
  const negated = chars[open + 1] === '!' || chars[open + 1] === '^';
  const first = open + (negated ? 2 : 1);
  const ranges: [number, number][] = [];
  let at = first;
  const take = (): number => {
    if (chars[at] === '\\' && at + 1 < chars.length) at++;
    return chars[at++]?.codePointAt(0) ?? 0;
  };
  while (at < chars.length) {
    if (chars[at] === ']' && at > first) return { token: { negated, ranges }, end: at };
    const low = take();
    const isRange = chars[at] === '-' && at + 1 < chars.length && chars[at + 1] !== ']';
    if (isRange) at++;
    ranges.push([low, isRange ? take() : low]);
  }
  return undefined;
}

function matchesName(segment: Exclude<Segment, 'globstar'>, name: string): boolean {
  if ('literal' in segment) return segment.literal === name;
  const { tokens } = segment;
  const [first] = tokens;
  const hasDot = typeof first === 'object' && 'char' in first && first.char === '.';
  return (!name.startsWith('.') || hasDot) && matchesTokens(tokens, [...name]);
}

/** When a character does not fit, only the last star before it need take one more. */
function matchesTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let at = 0;
  let used = 0;
  let star = -1;
  let starUsed = 0;
  while (used < name.length) {
    const token = tokens[at];
    if (token === 'star') {
      star = at++;
      starUsed = used;
    } else if (token !== undefined && matchesChar(token, name[used] ?? '')) {
      at++;
      used++;
    } else if (star >= 0) {
      at = star + 1;
      used = ++starUsed;
    } else return false;
  }
  while (tokens[at] === 'star') at++;
  return at === tokens.length;
}

function matchesChar(token: Exclude<Token, 'star'>, char: string): boolean {
  if (token === 'any') return true;
  if ('char' in token) return token.char === char;
  const code = char.codePointAt(0) ?? 0;
  return token.negated !== token.ranges.some(([low, high]) => low <= code && code <= high);
}

/** The characters of the tokens up to the first that is none. */
function literalOf(tokens: readonly Token[]): string[] {
  const literal: string[] = [];
  for (const token of tokens) {
    if (typeof token !== 'object' || !('char' in token)) break;
    literal.push(token.char);
  }
  return literal;
}

function literalStart(segments: readonly Segment[]): string {
  let start = '';
  for (const [nth, segment] of segments.entries()) {
    if (segment === 'globstar') return start;
    if (!('literal' in segment)) return start + literalOf(segment.tokens).join('');
    start += segment.literal + (nth + 1 < segments.length ? '/' : '');
  }
  return start;
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
