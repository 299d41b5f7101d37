/**
 * Patterns over paths: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of directories, and a
 * backslash before a character that means itself. A name that begins with a dot is matched only by a
 * pattern that has the dot there too. Whatever else is in a pattern or a name (newlines, quotes,
 * parentheses, bytes that are no UTF-8) means itself, and matching takes time in proportion to pattern times name.
 *
 * A pattern is followed down a path component by component (`begin`, `step`), so that a walk of
 * directories enters only those where something can match. The same pattern as a regular expression of
 * ClickHouse is in re2.ts.
 */
import { literalOf, matchesName } from './name.ts';
import { parsePattern, type Segment } from './segments.ts';

/** A place in the pattern: the segments that a path must still match. Equal rests of alternatives are one place. */
interface Place {
  /** Undefined: the path ends here. */
  segment: Segment | undefined;
  next: Place | undefined;
}

/** All the places where a path may have come to, each once. Empty: nothing below it matches. */
export type Places = readonly Place[];

export class Glob {
  readonly #alternatives: readonly (readonly Segment[])[];
  readonly #begin: Places;

  private constructor(alternatives: readonly (readonly Segment[])[]) {
    this.#alternatives = alternatives;
    const found = new Set<Place>();
    for (const place of placesOf(alternatives)) enter(place, found);
    this.#begin = [...found];
  }

  /** @throws invalid_address for a pattern of too many alternatives */
  static parse(pattern: string): Glob {
    return new Glob(parsePattern(pattern));
  }

  begin(): Places {
    return this.#begin;
  }

  matches(path: string): boolean {
    let places = this.#begin;
    for (const name of path.split('/')) {
      if (places.length === 0) return false;
      places = step(places, name);
    }
    return isMatch(places);
  }

  /** What every path that matches begins with. */
  get literalPrefix(): string {
    return this.#alternatives.map(literalStart).reduce(commonPrefix);
  }
}

/** @param options.throughGlobstar false keeps `**` from taking `name`, which is a link to a directory */
export function step(places: Places, name: string, options = { throughGlobstar: true }): Places {
  const found = new Set<Place>();
  const isHidden = name.startsWith('.');
  for (const place of places) {
    const { segment, next } = place;
    if (segment === undefined) continue;
    if (segment === 'globstar') {
      if (options.throughGlobstar && !isHidden) enter(place, found);
    } else if ('literal' in segment ? segment.literal === name : matchesName(segment.tokens, name))
      enter(next, found);
  }
  return [...found];
}

/** Whether the path that led here is a whole match. */
export function isMatch(places: Places): boolean {
  return places.some(({ segment }) => segment === undefined);
}

/** Whether a longer path can match. */
export function leadsOn(places: Places): boolean {
  return places.some(({ segment }) => segment !== undefined);
}

/** The only names that can follow, where there are no more than a few: no need to list a directory. */
export function onlyNames(places: Places): string[] | undefined {
  const names = new Set<string>();
  for (const { segment } of places) {
    if (segment === undefined) continue;
    if (segment === 'globstar' || !('literal' in segment)) return undefined;
    names.add(segment.literal);
  }
  return [...names];
}

/** `**` may stand for nothing, so behind it is a place too. */
function enter(place: Place | undefined, found: Set<Place>): void {
  for (let here = place; here !== undefined && !found.has(here); here = here.next) {
    found.add(here);
    if (here.segment !== 'globstar') return;
  }
}

/** The first place of each alternative. */
function placesOf(alternatives: readonly (readonly Segment[])[]): Place[] {
  const end: Place = { segment: undefined, next: undefined };
  /** By their segment, of those in front of a place. */
  const known = new Map<Place, Map<Segment, Place>>();
  return alternatives.map((segments) =>
    segments.reduceRight((next, segment) => {
      const before = known.get(next) ?? new Map<Segment, Place>();
      known.set(next, before);
      const place = before.get(segment) ?? { segment, next };
      before.set(segment, place);
      return place;
    }, end),
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
