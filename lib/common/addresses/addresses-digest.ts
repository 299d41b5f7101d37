/** A list of trace addresses in 32 bytes, for keys. */
import { createHash } from 'node:crypto';

const NUL = Buffer.of(0);

/** SHA-256 over the addresses, each with a NUL behind it: no address holds one. */
export function addressesDigest(addresses: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const address of addresses) hash.update(address).update(NUL);
  return hash.digest();
}
