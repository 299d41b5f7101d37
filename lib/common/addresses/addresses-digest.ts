/** Digests a list of trace addresses into 32 bytes, for use in keys. */
import { createHash } from 'node:crypto';

const NUL = Buffer.of(0);

/** Returns SHA-256 over the addresses, each followed by a NUL, which no address contains. */
export function addressesDigest(addresses: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const address of addresses) hash.update(address).update(NUL);
  return hash.digest();
}
