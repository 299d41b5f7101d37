/** Addresses of orchestrators, in the forms that gRPC names them: host:port, dns:, ipv4:, ipv6: and unix:. */
import { isIP } from 'node:net';
import { BigtraceError } from '../../lib/common/errors.ts';

/** What a socket connects to. */
export type Endpoint = { host: string; port: number } | { path: string };

export interface Target {
  /** The name that the orchestrator is addressed by. */
  authority: string;
  /** Name or IP address that its certificate must be for. */
  host: string;
  /** Returns the addresses to try, in this order. */
  endpoints: () => Promise<Endpoint[]>;
}

/** gRPC's port of an address without one. */
const DEFAULT_PORT = 443;

/** @param variable name of the option, for the error @throws invalid_option */
export function parseTarget(address: string, variable: string): Target {
  const [, scheme = 'dns', rest = address] =
    /^(dns|ipv4|ipv6|unix):(?:\/\/(?=\/))?(.+)$/.exec(address) ?? [];
  if (scheme === 'unix')
    return { authority: 'localhost', host: 'localhost', endpoints: async () => [{ path: rest }] };
  const names = scheme === 'dns' ? [rest.replace(/^\//, '')] : rest.split(',');
  const places = names.map(hostAndPort);
  const first = places[0];
  if (first === undefined || places.includes(undefined))
    throw new BigtraceError(
      'invalid_option',
      `${variable} '${address}' is no address of an orchestrator: host:port is expected`,
    );
  return {
    authority: names[0] ?? '',
    host: first.host,
    endpoints: async () => (await Promise.all(places.map(resolved))).flat(),
  };
}

interface Place {
  host: string;
  port: number;
}

function hostAndPort(name: string): Place | undefined {
  // isIP() compiles an expression of 2 KB for all but IPv4 addresses.
  if (/:.*:/.test(name) && isIP(name) === 6) return { host: name, port: DEFAULT_PORT };
  const [, inBrackets, plain, port] =
    /^(?:\[([^\]]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(name) ?? [];
  const host = inBrackets ?? plain;
  return host === undefined ? undefined : { host, port: Number(port ?? DEFAULT_PORT) };
}

async function resolved(place: Place | undefined): Promise<Place[]> {
  if (place === undefined) return [];
  const { host, port } = place;
  if (isIP(host) !== 0) return [place];
  const { lookup } = await import('node:dns/promises');
  return (await lookup(host, { all: true })).map(({ address }) => ({ host: address, port }));
}
