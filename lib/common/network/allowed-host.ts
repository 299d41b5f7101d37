/**
 * Which names a request may call a service by (`Host`, `:authority`). A web page of anybody can let a name of its
 * own point at this machine (DNS rebinding), and then reads what the service answers as if it were its own; but
 * the request says the name. So a name that a stranger can choose is refused.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface HostRules {
  /** Names that the operator allows: `bigtrace.example`, or `*.example` for all below. */
  allowed: readonly string[];
  /** The service's certificate, PEM, if it has one: the names in it are allowed. */
  certificate?: Buffer | undefined;
}

/** @param localAddress of the connection that the request came by; undefined: unknown */
export type HostCheck = (
  authority: string | undefined,
  localAddress: string | undefined,
) => boolean;

export function hostCheck({ allowed, certificate }: HostRules): HostCheck {
  const known = certificate === undefined ? undefined : new X509Certificate(certificate);
  const patterns = allowed.map((name) => name.toLowerCase());
  return (authority, localAddress) => {
    if (authority === undefined) return true; // HTTP/1.0; no browser sends such
    const name = hostNameOf(authority);
    if (name === undefined) return false;
    if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
    if (patterns.some((pattern) => isNamedBy(pattern, name))) return true;
    if (known?.checkHost(name) !== undefined) return true;
    return !isLoopbackAddress(localAddress) && isServiceName(name);
  };
}

/** In lower case, without port, brackets, and the dot that may end it; undefined for what is no host. */
function hostNameOf(authority: string): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(authority) ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}

function isNamedBy(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** What a container network or a cluster calls its services; who is on that network reaches the service anyway. */
function isServiceName(name: string): boolean {
  return !name.includes('.') || name.endsWith('.svc') || name.endsWith('.svc.cluster.local');
}

/** Undefined counts as loopback: what is not known is taken strictly. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address === undefined || /^(127\.|::1$|::ffff:127\.)/.test(address);
}

export const REFUSED_HOST = 'is not a name of this service; --allowed-hosts adds names';
