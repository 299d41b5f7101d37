/** The URL of this service as its clients reach it, for links. */

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { parsedUrl } from '../lib/common/text/parsed-url.ts';
import { badRequest } from './http-error.ts';

/** Whether a peer is a proxy whose X-Forwarded headers are true. */
export type ProxyCheck = (address: string | undefined) => boolean;

/** @param proxies addresses, each with an optional prefix length: `10.0.0.0/8` @throws invalid_option */
export function proxyCheck(proxies: readonly string[]): ProxyCheck {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const max = family === 'ipv6' ? 128 : 32;
    const bits = prefix === undefined ? max : Number(prefix);
    if (isIP(address) === 0 || !Number.isInteger(bits) || bits < 0 || bits > max)
      throw badRequest(
        `trusted proxy ${proxy} must be an address or a network, such as 10.0.0.0/8`,
      );
    list.addSubnet(address, bits, family);
  }
  return (address = '') => {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    return isIP(mapped) !== 0 && list.check(mapped, isIPv6(mapped) ? 'ipv6' : 'ipv4');
  };
}

/** Returns the URL, without a trailing slash, for a request; empty if it has no Host. */
export type BaseOf = (request: FastifyRequest) => string;

/**
 * @param publicUrl if it is given, the URL; otherwise it follows from the X-Forwarded headers of trusted proxies, or the
 *   Host header
 */
export function baseReader(publicUrl: string | undefined, isProxy: ProxyCheck): BaseOf {
  if (publicUrl !== undefined) return () => publicUrl.replace(/\/+$/, '');
  return ({ protocol, host, headers, socket }) => {
    // Fastify has taken protocol and host from the headers of trusted proxies.
    const url = parsedUrl(`${protocol}://${host}`);
    if (url === undefined) return '';
    const prefix = isProxy(socket.remoteAddress) ? headers['x-forwarded-prefix'] : undefined;
    return url.origin + prefixOf(prefix);
  };
}

function prefixOf(prefix: string | string[] | undefined): string {
  const path = typeof prefix === 'string' ? prefix.replace(/\/+$/, '') : '';
  return /^(\/[\w.~%-]+)+$/.test(path) ? path : '';
}

/** The path of a URL of the service, without a slash at its end. */
export function pathOf(base: string): string {
  return parsedUrl(base)?.pathname.replace(/\/+$/, '') ?? '';
}
