/**
 * Resolves a client's path below the root, one component at a time, as the kernel would, but fails at the first step
 * out of the root. Nothing outside the root is accessed, so a response cannot reveal what exists there.
 */
import { BigtraceError } from '../../common/errors.ts';
import { notFound } from '../failures.ts';
import type { Files } from './files.ts';

/** The maximum number of links in a path, as on Linux (path_resolution(7)); it ends loops of links. */
const LINKS_MAX = 40;

/** The bytes of a path as a latin1 string: one character per byte, so that comparing and splitting are exact. */
export type BytePath = string;

export const bufferOf = (path: BytePath): Buffer => Buffer.from(path, 'latin1');

export function forbidden(): BigtraceError {
  return new BigtraceError('forbidden', 'the path leads out of the traces directory');
}

const componentsOf = (path: BytePath): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/** Returns the components of an absolute path below one of the roots; undefined if it is below none of them. */
function belowRoot(path: BytePath, roots: readonly BytePath[]): string[] | undefined {
  const components = componentsOf(path);
  for (const root of roots) {
    const prefix = componentsOf(root);
    if (prefix.every((name, at) => components[at] === name)) return components.slice(prefix.length);
  }
  return undefined;
}

/**
 * Resolves a path below the root.
 * @param roots the root with its links resolved, and the same directory as the operator wrote it (absolute):
 *   absolute paths may begin with either
 * @returns the path without links, `.` and `..`
 * @throws forbidden if the path leads out of the root; trace_not_found if a component is not a directory or there are
 *   more than 40 links; what `lstat` throws
 */
export async function resolveBelow(
  files: Files,
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
    const info = await files.lstat(bufferOf(here()));
    if (info.isSymbolicLink()) {
      if (++links > LINKS_MAX) throw notFound('the path has too many symbolic links');
      const target = await files.readlink(bufferOf(here()));
      resolved.pop();
      enter(target.toString('latin1'));
    } else if (pending.length > 0 && !info.isDirectory()) {
      throw notFound();
    }
  }
  return here();
}
