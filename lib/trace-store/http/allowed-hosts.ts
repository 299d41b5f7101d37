/** Decides which servers `/http` and `/https` may contact, so that clients cannot reach the worker's own network. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { BigtraceError } from '../../common/errors.ts';

export interface HostRules {
  /** Each is `host` (default port of the scheme), `host:port`, `*.domain` (all subdomains), or `[::1]:8080`. */
  hosts: readonly string[];
  /** Whether these hosts may have private addresses: loopback, link-local, 10.0.0.0/8 … */
  allowPrivate: boolean;
}

/** @throws forbidden if the host is not allowed, or is a private IP address and `allowPrivate` is false */
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
      `host ${url.host} is not allowed; --http-hosts of the workers lists the allowed hosts`,
    );
  const literal = name.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !allowPrivate && isPrivate(literal)) throw privateAddress(url.host);
}

/** Whether the address is anything but a public unicast address. */
export function isPrivate(address: string): boolean {
  return ipaddr.process(address).range() !== 'unicast';
}

function privateAddress(host: string): BigtraceError {
  return new BigtraceError(
    'forbidden',
    `host ${host} has a private address, which is not allowed without --http-private`,
  );
}

/**
 * Returns a lookup function that refuses a name if any of its addresses is private. The connection uses the
 * addresses that were checked, so a name that resolves differently a moment later (DNS rebinding) gains nothing.
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
