/**
 * Who sent a request. The name is the user of the caller's queries everywhere: in the history, in ClickHouse's
 * log_comment, at the orchestrators. Its prefix says how the caller is known, and keeps it apart from the names of
 * ClickHouse users:
 *
 * | name | the caller |
 * | --- | --- |
 * | `http-user:NAME` | is named by a trusted proxy |
 * | `http-login:NAME` | gave this name when it logged in with the token; anybody with the token can give it |
 * | `http-certificate:CN` | has a client certificate |
 * | `http-address:IP` | is known by its address only: callers with the token share it |
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';

export interface Caller {
  user: string;
  /** The person behind the browser: a login, or a user of a trusted proxy. Undefined for all other callers. */
  account?: string;
  /** ID of the login that the request has the cookie of. */
  loginId?: string;
}

type HasRaw = Pick<FastifyRequest, 'raw'>;

const callers = new WeakMap<IncomingMessage, Caller>();

export function setCaller({ raw }: HasRaw, caller: Caller): void {
  callers.set(raw, caller);
}

export function callerOf({ raw }: HasRaw): Caller {
  return callers.get(raw) ?? { user: connectionName(raw) };
}

function connectionName({ socket }: IncomingMessage): string {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  const common = Array.isArray(name) ? name[0] : name;
  return common ? `http-certificate:${common}` : `http-address:${socket.remoteAddress ?? ''}`;
}
