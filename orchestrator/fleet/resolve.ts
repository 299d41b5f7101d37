/** Where workers are: `host:port` as it stands, `dns:///host:port` as all addresses its name has now. */
import { lookup } from 'node:dns/promises';

const DNS_PREFIX = 'dns:///';

export function isResolved(target: string): boolean {
  return target.startsWith(DNS_PREFIX);
}

/** @throws what the resolver throws, such as ENOTFOUND */
export async function resolveTarget(target: string): Promise<string[]> {
  if (!isResolved(target)) return [target];
  const name = target.slice(DNS_PREFIX.length);
  const colon = name.lastIndexOf(':');
  const host = name.slice(0, colon).replace(/^\[|\]$/g, '');
  const found = await lookup(host, { all: true });
  return found.map(({ address, family }) =>
    family === 6 ? `[${address}]${name.slice(colon)}` : `${address}${name.slice(colon)}`,
  );
}
