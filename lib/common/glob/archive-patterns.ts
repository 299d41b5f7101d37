/**
 * Splits patterns over members of archives, such as `a/*.zip!/**`, into a pattern of the archives and one of their
 * members. A directory whose name ends with `!` matches such a pattern as well.
 */
import { expandBraces } from './braces.ts';
import { Glob } from './glob.ts';
import { type Token, tokensOf } from './name.ts';

/** Number of places of a path, the last ones, at which an archive is looked for. */
export const BORDERS_MAX = 4;

export interface ArchivePatterns {
  /** Matches the paths that the pattern matches itself, and those of the archives. */
  files: string;
  /** Returns what to look for in a file: patterns of members; empty if the file is not to be opened. */
  membersIn(path: string): readonly Glob[];
}

/**
 * Returns undefined if the pattern cannot match a member of an archive.
 * @throws invalid_address if the pattern has too many alternatives
 */
export function archivePatterns(pattern: string): ArchivePatterns | undefined {
  if (!pattern.includes('!')) return undefined;
  const alternatives = expandBraces(pattern);
  /** The patterns of members by the pattern of the archives. */
  const byArchives = new Map<string, string[]>();
  for (const alternative of alternatives)
    for (const { archives, members } of splits(alternative)) {
      const known = byArchives.get(archives);
      if (known === undefined) byArchives.set(archives, [members]);
      else known.push(members);
    }
  if (byArchives.size === 0) return undefined;
  const parsed = [...byArchives].map(([archives, members]) => ({
    archives: Glob.parse(archives),
    members: members.map((one) => Glob.parse(one)),
  }));
  return {
    files: anyOf([...alternatives, ...byArchives.keys()]),
    membersIn: (path) =>
      parsed.flatMap(({ archives, members }) => (archives.matches(path) ? members : [])),
  };
}

/** Splits a pattern without alternatives at the last of its directories that end with `!`. */
function splits(pattern: string): { archives: string; members: string }[] {
  const segments = pattern.split('/');
  const found: { archives: string; members: string }[] = [];
  let borders = 0;
  for (let at = segments.length - 2; at >= 0 && borders < BORDERS_MAX; at--) {
    const tokens = tokensOf(segments[at] ?? '');
    if (!isBang(tokens.at(-1))) continue;
    borders++;
    if (tokens.length < 2) continue;
    const archives = [...segments.slice(0, at), withoutBang(segments[at] ?? '', tokens.length)];
    found.push({ archives: archives.join('/'), members: segments.slice(at + 1).join('/') });
  }
  return found;
}

function isBang(token: Token | undefined): boolean {
  return typeof token === 'object' && 'char' in token && token.char === '!';
}

/** Removes the `!` at the end of a segment with this number of tokens; it may be escaped. */
function withoutBang(segment: string, tokens: number): string {
  const isEscaped = tokensOf(segment.slice(0, -1)).length === tokens;
  const name = segment.slice(0, isEscaped ? -2 : -1);
  return name === '**' ? '*' : name; // within a name, two stars are one
}

/**
 * Returns a pattern that matches what one of the patterns matches, whose braces are literal. The directories that all
 * begin with stay in front of the braces, because a bucket cannot be part of a pattern.
 */
function anyOf(patterns: readonly string[]): string {
  const escaped = patterns.map((one) =>
    one.replace(/\\.|\\$|[{},]/gsu, (found) => (found.length > 1 ? found : `\\${found}`)),
  );
  const shared = sharedDirectories(escaped);
  return `${shared}{${escaped.map((one) => one.slice(shared.length)).join(',')}}`;
}

function sharedDirectories([first = '', ...others]: readonly string[]): string {
  let end = 0;
  for (let at = 0; at < first.length && others.every((one) => one[at] === first[at]); at++)
    if (first[at] === '/') end = at + 1;
  return first.slice(0, end);
}
