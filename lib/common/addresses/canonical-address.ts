/**
 * One trace, one address. A trace can be named in several ways; answers, the catalog and caches have it by one, its
 * canonical address (docs/stores.md), as far as the address's own text says which that is.
 */
import { parseAddress } from './address.ts';

export interface CanonicalAddress {
  address: string;
  /** Whether only the store can say: of `..` behind what may be a link, and of names that may be URL-encoded. */
  needsStore: boolean;
}

/**
 * Of a trace or a pattern.
 * @param localRoots directories of `/local`, as absolute paths
 * @throws invalid_address
 */
export function canonicalAddress(text: string, localRoots: readonly string[]): CanonicalAddress {
  const { store, path } = parseAddress(text);
  if (store === 'local') {
    const local = canonicalLocal(path, localRoots);
    return { address: `/local/${local}`, needsStore: hasDots(local) || local.startsWith('/') };
  }
  if (store === 'http' || store === 'https') {
    const url = httpUrl(store, path);
    return {
      address: url === undefined ? text : `/${store}/${url.host}${pathOf(url)}`,
      needsStore: false,
    };
  }
  return { address: text, needsStore: store === 'gcs' && decodedName(path) !== undefined };
}

/** The path without what a kernel passes over, and relative to the first root that it lies in. */
function canonicalLocal(path: string, roots: readonly string[]): string {
  const isAbsolute = path.startsWith('/');
  if (!isAbsolute && !/\/\/|(?:^|\/)\.(?:\/|$)|\/$/.test(path)) return path;
  const names = namesOf(path);
  if (!isAbsolute) return names.join('/') || path;
  for (const root of roots) {
    const above = namesOf(root);
    if (names.length > above.length && above.every((name, at) => names[at] === name))
      return names.slice(above.length).join('/');
  }
  return `/${names.join('/')}`;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function hasDots(path: string): boolean {
  return /(?:^|\/)\.\.(?:\/|$)/.test(path);
}

/** The text behind the bucket, where that may be the URL-encoded form of another. */
export function decodedName(name: string): string | undefined {
  if (!name.includes('%')) return undefined;
  try {
    const decoded = decodeURIComponent(name);
    return decoded === name || decoded === '' ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** Undefined for what makes none. */
export function httpUrl(scheme: string, path: string): URL | undefined {
  const behind = path.search(/[/?#]/);
  const host = behind < 0 ? path : path.slice(0, behind);
  const rest = path.slice(host.length);
  // What was escaped stays as it is. No client sends a `#`, so it is part of a name.
  const escaped = encodeURI(rest.toWellFormed()).replaceAll('%25', '%').replaceAll('#', '%23');
  const text = `${scheme}://${host}${escaped}`;
  if (host === '' || !path.isWellFormed() || !URL.canParse(text)) return undefined;
  return new URL(text);
}

/** Escapes of the path in the one form that RFC 3986 (6.2.2) recommends; a query is its server's own matter. */
function pathOf({ pathname, search }: URL): string {
  const normal = pathname.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : escaped.toUpperCase();
  });
  return normal + search;
}
