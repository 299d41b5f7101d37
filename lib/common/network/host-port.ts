/** Parts of an address `host:port`, whose host may be an IPv6 address in brackets. Also accepts `scheme://host:port`. */

/** Returns the host, without brackets. */
export function hostOf(hostPort: string): string {
  return hostPort.slice(0, hostPort.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

export function portOf(hostPort: string): number {
  return Number(hostPort.slice(hostPort.lastIndexOf(':') + 1));
}

/** Replaces the port: a service that is configured with port 0 reports the one that the kernel chose. */
export function withPort(hostPort: string, port: number): string {
  return `${hostPort.slice(0, hostPort.lastIndexOf(':'))}:${port}`;
}

export function isLoopback(hostPort: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/.test(hostOf(hostPort));
}
