/** The addresses of members of archives: `/local/b.zip!/dir/m` names the member `dir/m` of the archive `/local/b.zip`. */
import { decodedName } from '../../common/addresses/canonical-address.ts';
import { damagedData } from '../../common/archive/damage.ts';
import { BORDERS_MAX } from '../../common/glob/archive-patterns.ts';
import { printable } from '../../common/text/byte-text.ts';
import { changed } from '../failures.ts';
import type { TraceStore } from '../trace-store.ts';

/** Ends the path of the archive. */
export const BORDER = '!/';
/** Begins the generations of members, so that none equals that of a trace with the same path. */
const GENERATION = /^member (\d+) (.*)$/s;

export interface MemberPath {
  /** Path of the archive in its store. */
  archive: string;
  /** Name of the member, without `.`, `..` and empty components. */
  member: string;
}

/** Yields what a path may mean, the longest path of an archive first. */
export function* memberPaths({ name }: TraceStore, path: string): Generator<MemberPath> {
  let at = path.length;
  for (let tried = 0; tried < BORDERS_MAX; tried++) {
    at = at === 0 ? -1 : path.lastIndexOf(BORDER, at - 1);
    if (at < 1) return;
    const written = path.slice(at + BORDER.length);
    const isUrl = name === 'http' || name === 'https';
    const member = isUrl ? (decodedName(written) ?? written) : written;
    if (member !== '') yield { archive: path.slice(0, at), member };
  }
}

/** The generation of a member: that of its archive, and where the path of the archive ends. */
export function memberGeneration(archive: string, generation: string): string {
  return `member ${archive.length} ${generation}`;
}

export function isMemberGeneration(generation: string): boolean {
  return GENERATION.test(generation);
}

/** @throws trace_changed if `memberGeneration` did not make the generation for this path */
export function splitGeneration(
  store: TraceStore,
  path: string,
  generation: string,
): MemberPath & { generation: string } {
  const [, length, ofArchive = ''] = GENERATION.exec(generation) ?? [];
  for (const found of memberPaths(store, path))
    if (found.archive.length === Number(length)) return { ...found, generation: ofArchive };
  throw changed();
}

/**
 * Returns the name by which an address names a member. Archives contain names such as `./a` and `/a`, too.
 * @throws trace_invalid if the name leads out of the archive, or no address can contain it
 */
export function memberName(name: string, format: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw damagedData(format, `the name of its member ${shown(name)} leads out of the archive`);
  if (name.includes('\0'))
    throw damagedData(format, `the name of its member ${shown(name)} contains a NUL`);
  return parts.join('/');
}

const SHOWN_CHARS = 100;

/** Quotes a name for an error. */
export function shown(name: string): string {
  const text = name.length > SHOWN_CHARS ? `${name.slice(0, SHOWN_CHARS)}…` : name;
  return `"${printable(text)}"`;
}
