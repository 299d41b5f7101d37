/**
 * Matches paths with patterns: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of directories, and a
 * backslash that makes the next character literal. A name that begins with a dot needs a dot at that place of the
 * pattern. A directory whose name ends with `!` needs a `!` at that place, too: `/a/b.zip!/m` is the address of a member
 * of an archive (archive-patterns.ts), and `/a/**` does not match it. All other characters (newlines, quotes,
 * parentheses, bytes that are not UTF-8) are literal. Matching takes time proportional to pattern times name.
 *
 * A pattern is matched with a path name by name (`begin`, `step`), so that a walk enters only directories in which
 * something can match. re2.ts translates a pattern into regular expressions for ClickHouse.
 */
import { literalOf, matchesName } from './name.ts';
import { endsWithBang, parsePattern, type Segment } from './segments.ts';

/** A place in the pattern: the segments that the rest of a path must match. Equal rests of alternatives share one. */
interface Place {
  /** Undefined at the end of the pattern. */
  segment: Segment | undefined;
  next: Place | undefined;
}

/** All places that a path may have reached, each once. If empty, no longer path matches either. */
export type Places = readonly Place[];

export class Glob {
  readonly #alternatives: readonly (readonly Segment[])[];
  readonly #begin: Places;

  private constructor(alternatives: readonly (readonly Segment[])[]) {
    this.#alternatives = alternatives;
    const reached = new Set<Place>();
    for (const place of placesOf(alternatives)) enter(place, reached);
    this.#begin = [...reached];
  }

  /** @throws invalid_address if the pattern has too many alternatives */
  static parse(pattern: string): Glob {
    return new Glob(parsePattern(pattern));
  }

  begin(): Places {
    return this.#begin;
  }

  matches(path: string): boolean {
    let places = this.#begin;
    const names = path.split('/');
    for (const [nth, name] of names.entries()) {
      if (places.length === 0) return false;
      places = step(places, name, { isDirectory: nth + 1 < names.length });
    }
    return isMatch(places);
  }

  /** The longest known text with which every matching path begins. */
  get literalPrefix(): string {
    return this.#alternatives.map(literalStart).reduce(commonPrefix);
  }
}

export interface StepOptions {
  /** False if the name is that of a link to a directory, which `**` must not match. Default: true. */
  throughGlobstar?: boolean;
  /** Whether the name is that of a directory, so that another one follows it. Default: false. */
  isDirectory?: boolean;
}

/** Returns the places after one more name of the path. */
export function step(places: Places, name: string, options: StepOptions = {}): Places {
  const { throughGlobstar = true, isDirectory = false } = options;
  const reached = new Set<Place>();
  const isHidden = name.startsWith('.');
  const needsBang = isDirectory && name.endsWith('!');
  for (const place of places) {
    const { segment, next } = place;
    if (segment === undefined) continue;
    if (needsBang && !endsWithBang(segment)) continue;
    if (segment === 'globstar') {
      if (throughGlobstar && !isHidden) enter(place, reached);
    } else if ('literal' in segment ? segment.literal === name : matchesName(segment.tokens, name))
      enter(next, reached);
  }
  return [...reached];
}

/** Whether the path that reached these places matches the pattern. */
export function isMatch(places: Places): boolean {
  return places.some(({ segment }) => segment === undefined);
}

/** Whether a longer path can match the pattern. */
export function leadsOn(places: Places): boolean {
  return places.some(({ segment }) => segment !== undefined);
}

/** The only names that can follow, so that no directory must be listed; undefined if a wildcard can follow. */
export function onlyNames(places: Places): string[] | undefined {
  const names = new Set<string>();
  for (const { segment } of places) {
    if (segment === undefined) continue;
    if (segment === 'globstar' || !('literal' in segment)) return undefined;
    names.add(segment.literal);
  }
  return [...names];
}

/** Adds a place, and those after it that are reached because `**` may match nothing. */
function enter(place: Place | undefined, reached: Set<Place>): void {
  for (let here = place; here !== undefined && !reached.has(here); here = here.next) {
    reached.add(here);
    if (here.segment !== 'globstar') return;
  }
}

/** Returns the first place of each alternative. */
function placesOf(alternatives: readonly (readonly Segment[])[]): Place[] {
  const end: Place = { segment: undefined, next: undefined };
  /** For each place, the places that precede it, by segment. */
  const byNext = new Map<Place, Map<Segment, Place>>();
  return alternatives.map((segments) =>
    segments.reduceRight((next, segment) => {
      const before = byNext.get(next) ?? new Map<Segment, Place>();
      byNext.set(next, before);
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
