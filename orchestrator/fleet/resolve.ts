/** Resolves worker targets: `host:port` is used as it is, `dns:///host:port` stands for every address of the name. */
import { lookup } from 'node:dns/promises';

const DNS_PREFIX = 'dns:///';

export function isResolved(target: string): boolean {
  return target.startsWith(DNS_PREFIX);
}

/** Returns the addresses of a target as `host:port`. @throws the error of the resolver, such as ENOTFOUND */
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
