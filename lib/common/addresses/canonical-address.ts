/**
 * Computes canonical addresses (docs/stores.md). Several addresses can name one trace; results, the catalog and caches
 * use its canonical address. This module finds it as far as the text of the address determines it.
 */
import { parsedUrl } from '../text/parsed-url.ts';
import { parseAddress } from './address.ts';

export interface CanonicalAddress {
  address: string;
  /** Whether only the store can complete it: a `..` may follow a link, or a name may be URL-encoded. */
  needsStore: boolean;
}

/**
 * Returns the canonical address of a trace or pattern.
 * @param localRoots absolute paths of the directories that `/local` serves
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

/** The path without `.` and empty names, which the kernel ignores, and relative to the first root that contains it. */
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

/** Decodes a name that may be URL-encoded; undefined if decoding fails, or changes nothing. */
export function decodedName(name: string): string | undefined {
  if (!name.includes('%')) return undefined;
  try {
    const decoded = decodeURIComponent(name);
    return decoded === name || decoded === '' ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** The URL of an address of `/http` or `/https`; undefined if the path is not a valid one. */
export function httpUrl(scheme: string, path: string): URL | undefined {
  const behind = path.search(/[/?#]/);
  const host = behind < 0 ? path : path.slice(0, behind);
  const rest = path.slice(host.length);
  // Existing escapes stay as they are. A `#` is part of the name, because clients never send a fragment.
  const escaped = encodeURI(rest.toWellFormed()).replaceAll('%25', '%').replaceAll('#', '%23');
  const text = `${scheme}://${host}${escaped}`;
  return host === '' || !path.isWellFormed() ? undefined : parsedUrl(text);
}

/** Normalizes the escapes of the path as RFC 3986 (6.2.2) recommends. The query, whose meaning is the server's, is kept. */
function pathOf({ pathname, search }: URL): string {
  const normal = pathname.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : escaped.toUpperCase();
  });
  return normal + search;
}
