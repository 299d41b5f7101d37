/** The URL of this server as the client addressed it. */
import type { FastifyRequest } from 'fastify';

/**
 * Returns `http://host:port` without a trailing slash, from the Host header. It is empty if the header is missing or
 * malformed.
 */
export function baseOf({ protocol, headers: { host } }: FastifyRequest): string {
  return host !== undefined && URL.canParse(`${protocol}://${host}`)
    ? new URL(`${protocol}://${host}`).origin
    : '';
}
