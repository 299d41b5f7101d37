/**
 * Patterns over paths: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of directories, and a
 * backslash before a character that means itself. A name that begins with a dot is matched only by a
 * pattern that has the dot there too. Whatever else is in a pattern or a name (newlines, quotes,
 * parentheses, bytes that are no UTF-8) means itself, and matching takes time in proportion to pattern times name.
 *
 * A pattern is followed down a path component by component (`begin`, `step`), so that a walk of
 * directories enters only those where something can match.
 */
import { expandBraces } from './glob-braces.ts';
import { literalOf, matchesName, type Token, tokensOf } from './glob-name.ts';

/** One component of a pattern. */
type Segment = { literal: string } | { tokens: readonly Token[] } | 'globstar';

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
    if (segment === 'globstar')
      return options.throughGlobstar && !name.startsWith('.') ? placesFrom(segments, at) : [];
    const fits =
      'literal' in segment ? segment.literal === name : matchesName(segment.tokens, name);
    return fits ? placesFrom(segments, at + 1) : [];
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
  const halfACharacter = (a.charCodeAt(length - 1) & 0xfc00) === 0xd800 && length > 0;
  return a.slice(0, halfACharacter ? length - 1 : length);
}
