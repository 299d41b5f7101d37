/** Resolves worker targets: `host:port` is used as it is, `dns:///host:port` stands for every address of the name. */
import { lookup } from 'node:dns/promises';

const DNS_PREFIX = 'dns:///';

export function isResolved(target: string): boolean {
  return target.startsWith(DNS_PREFIX);
}

/**
 * Returns the addresses of a target as `host:port`: none when the name does not exist or has no address, as the headless
 * Service of a Deployment without pods.
 * @throws the error of the resolver when it has no answer, such as EAI_AGAIN
 */
export async function resolveTarget(target: string): Promise<string[]> {
  if (!isResolved(target)) return [target];
  const name = target.slice(DNS_PREFIX.length);
  const colon = name.lastIndexOf(':');
  const host = name.slice(0, colon).replace(/^\[|\]$/g, '');
  const records = await lookup(host, { all: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return [];
    throw error;
  });
  return records.map(({ address, family }) =>
    family === 6 ? `[${address}]${name.slice(colon)}` : `${address}${name.slice(colon)}`,
  );
}
