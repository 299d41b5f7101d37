/** This server as the client reached it. */
import type { FastifyRequest } from 'fastify';

/** `http://host:port`, without a slash at the end; empty where the client names no host that could be one. */
export function baseOf({ protocol, headers: { host } }: FastifyRequest): string {
  return host !== undefined && URL.canParse(`${protocol}://${host}`)
    ? new URL(`${protocol}://${host}`).origin
    : '';
}
