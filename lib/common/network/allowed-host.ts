/**
 * Checks the host name by which a request calls a service (`Host`, `:authority`). The owner of any web page can point
 * its domain to this machine (DNS rebinding); the page then reads the service's responses as if they came from its own
 * server. But the request has that domain as its host, so a name that a stranger can own is rejected.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface HostRules {
  /** Names that the operator allows: `bigtrace.example`, or `*.example` for all subdomains. */
  allowed: readonly string[];
  /** The service's certificate (PEM), if it has one. The names that it has now are allowed. */
  certificate?: { readonly text: string } | undefined;
}

/** @param localAddress local address of the request's connection; undefined if unknown */
export type HostCheck = (
  authority: string | undefined,
  localAddress: string | undefined,
) => boolean;

export function hostCheck({ allowed, certificate }: HostRules): HostCheck {
  const names = certificate === undefined ? undefined : new NamesOf(certificate);
  const patterns = allowed.map((name) => name.toLowerCase());
  return (authority, localAddress) => {
    if (authority === undefined) return true; // HTTP/1.0, which no browser sends
    const name = hostNameOf(authority);
    if (name === undefined) return false;
    if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
    if (patterns.some((pattern) => isNamedBy(pattern, name))) return true;
    if (names?.has(name) === true) return true;
    return !isLoopbackAddress(localAddress) && isServiceName(name);
  };
}

/** The names in a certificate that may be replaced. */
class NamesOf {
  readonly #source: { readonly text: string };
  #text: string;
  #certificate: X509Certificate;

  constructor(source: { readonly text: string }) {
    this.#source = source;
    this.#text = source.text;
    this.#certificate = new X509Certificate(this.#text);
  }

  has(name: string): boolean {
    const { text } = this.#source;
    if (text !== this.#text) {
      try {
        this.#certificate = new X509Certificate(text);
        this.#text = text;
      } catch {
        // It is being written.
      }
    }
    return this.#certificate.checkHost(name) !== undefined;
  }
}

/** Returns the host in lower case, without port, brackets and a final dot; undefined if it is not a valid host. */
function hostNameOf(authority: string): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(authority) ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}

function isNamedBy(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** Whether a container network or cluster may name a service so. Its members can reach the service in any case. */
function isServiceName(name: string): boolean {
  return !name.includes('.') || name.endsWith('.svc') || name.endsWith('.svc.cluster.local');
}

/** An unknown address counts as loopback, for which the checks are stricter. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address === undefined || /^(127\.|::1$|::ffff:127\.)/.test(address);
}

export const REFUSED_HOST = 'is not a host name of this service; --allowed-hosts adds names';
