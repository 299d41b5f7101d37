/** Determines what an address of a query stands for, and its canonical form. */
import { isPattern, parseAddress, WHERE_STORE } from '../../lib/common/addresses/address.ts';
import { canonicalAddress } from '../../lib/common/addresses/canonical-address.ts';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';

export type NamedAddress =
  /** The traces that the expressions in `path` select from the catalog. */
  | { kind: 'selection'; path: string }
  /** The trace with this canonical address. */
  | { kind: 'trace'; address: Buffer }
  /** A worker must list it: a pattern, or an address whose canonical form only the store knows. */
  | { kind: 'listed'; address: Buffer; isPattern: boolean };

/**
 * Parses one address.
 * @param localRoots called when the address contains an absolute path (`/local//…`)
 * @throws invalid_address, and the errors of `localRoots`
 */
export async function namedAddress(
  address: Buffer,
  localRoots: () => Promise<readonly string[]>,
): Promise<NamedAddress> {
  const text = textFromBytes(address);
  const { store, path } = parseAddress(text);
  if (store === WHERE_STORE) return { kind: 'selection', path };
  const roots = text.startsWith('/local//') ? await localRoots() : [];
  const canonical = canonicalAddress(text, roots);
  const bytes = canonical.address === text ? address : bytesFromText(canonical.address);
  if (isPattern(text)) return { kind: 'listed', address: bytes, isPattern: true };
  if (canonical.needsStore) return { kind: 'listed', address: bytes, isPattern: false };
  return { kind: 'trace', address: bytes };
}
