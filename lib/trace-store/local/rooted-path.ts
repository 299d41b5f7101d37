/**
 * The way from a path of the client to a file below the root, one component at a time, as the kernel
 * would go it, except that the first step out of the root ends it: nothing outside is ever looked at,
 * so an answer cannot tell what is there.
 */
import { lstat, readlink } from 'node:fs/promises';
import { BigtraceError } from '../../common/errors.ts';
import { notFound } from '../failures.ts';

/** What Linux allows (path_resolution(7)); it ends loops. */
const LINKS_MAX = 40;

/** Bytes of paths are kept as latin1 strings here: one character a byte, so comparing and splitting are exact. */
export type BytePath = string;

export const bufferOf = (path: BytePath): Buffer => Buffer.from(path, 'latin1');

export function forbidden(): BigtraceError {
  return new BigtraceError('forbidden', 'the path leads out of the directory that traces are in');
}

const componentsOf = (path: BytePath): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/** The components below the root, of an absolute path; undefined where it is not below it. */
function belowRoot(path: BytePath, roots: readonly BytePath[]): string[] | undefined {
  const components = componentsOf(path);
  for (const root of roots) {
    const prefix = componentsOf(root);
    if (prefix.every((name, at) => components[at] === name)) return components.slice(prefix.length);
  }
  return undefined;
}

/**
 * @param roots the root without any link in it, and the same directory as the operator wrote it
 *   (absolute): absolute paths may begin with either.
 * @returns the path with no link, `.` or `..` left in it
 * @throws forbidden, trace_not_found; what lstat throws otherwise
 */
export async function resolveBelow(
  roots: readonly [BytePath, ...BytePath[]],
  path: BytePath,
): Promise<BytePath> {
  const resolved: string[] = [];
  const pending: string[] = [];
  const enter = (target: BytePath): void => {
    let components = componentsOf(target);
    if (target.startsWith('/')) {
      const below = belowRoot(target, roots);
      if (below === undefined) throw forbidden();
      components = below;
      resolved.length = 0;
    }
    pending.push(...components.reverse());
  };
  const here = (): BytePath => [roots[0] === '/' ? '' : roots[0], ...resolved].join('/') || '/';

  enter(path);
  for (let links = 0, name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      if (resolved.pop() === undefined) throw forbidden();
      continue;
    }
    resolved.push(name);
    const found = await lstat(bufferOf(here()));
    if (found.isSymbolicLink()) {
      if (++links > LINKS_MAX) throw notFound('the path has too many symbolic links in it');
      const target = await readlink(bufferOf(here()), { encoding: 'buffer' });
      resolved.pop();
      enter(target.toString('latin1'));
    } else if (pending.length > 0 && !found.isDirectory()) {
      throw notFound();
    }
  }
  return here();
}
