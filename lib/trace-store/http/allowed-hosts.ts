/** Which servers /http and /https may ask: a worker must not become a way into its own network. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { BigtraceError } from '../../common/errors.ts';

export interface HostRules {
  /** `host` (on its scheme's own port), `host:port`, `*.domain` (all below it), `[::1]:8080`. */
  hosts: readonly string[];
  /** Whether these may be in private networks: loopback, link-local, 10.0.0.0/8 … */
  allowPrivate: boolean;
}

/** @throws forbidden */
export function checkHost(url: URL, { hosts, allowPrivate }: HostRules): void {
  const name = url.hostname.toLowerCase();
  const ownPort = url.protocol === 'https:' ? '443' : '80';
  const isAllowed = hosts.some((rule) => {
    const [, host = '', port = ownPort] = /^(.*?)(?::(\d+))?$/.exec(rule.toLowerCase()) ?? [];
    const isHost = host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host;
    return isHost && port === (url.port || ownPort);
  });
  if (!isAllowed)
    throw new BigtraceError(
      'forbidden',
      `the host ${url.host} is not among those that may be read from (--http-hosts)`,
    );
  const literal = name.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !allowPrivate && isPrivate(literal)) throw privateAddress(url.host);
}

/** Everything that is not a public address of one machine. */
export function isPrivate(address: string): boolean {
  return ipaddr.process(address).range() !== 'unicast';
}

function privateAddress(host: string): BigtraceError {
  return new BigtraceError(
    'forbidden',
    `the host ${host} has a private address, which is not allowed (--http-private)`,
  );
}

/**
 * Resolves a name, and refuses it where any of its addresses is private. The connection is made to the
 * very addresses that were looked at, so a name that resolves to something else the next moment gains nothing.
 */
export function checkedLookup(
  { allowPrivate }: HostRules,
  resolve: typeof systemLookup = systemLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const first = addresses?.[0];
      if (error !== null) callback(error, '');
      else if (!allowPrivate && addresses.some(({ address }) => isPrivate(address)))
        callback(privateAddress(hostname), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}
