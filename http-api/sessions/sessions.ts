/**
 * Sessions: what scripts of a login, or of a user of a trusted proxy, define in one browser session is run before that
 * user's later scripts. The history has what each successful script defined, so every replica knows it.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BaseOf } from '../base.ts';
import { callerOf } from '../login/caller.ts';
import { cookieIn, scopeOf, setCookie } from '../login/login-cookie.ts';

const COOKIE = 'bigtrace_session';
const ID = /^[\w-]{22}$/;
const ID_BYTES = 16;

/**
 * Returns the session of the request, which begins one if there is none; undefined for callers without an account: other
 * people may be behind the same address.
 */
export function sessionOf(
  request: FastifyRequest,
  reply: FastifyReply,
  baseOf: BaseOf,
): string | undefined {
  const { account } = callerOf(request);
  if (account === undefined) return undefined;
  const given = cookieIn(request.headers.cookie, COOKIE) ?? '';
  const id = ID.test(given) ? given : beginSession(request, reply, baseOf);
  return createHash('sha256').update(`${account}\0${id}`).digest('hex');
}

/** Begins a session, which keeps nothing yet. @returns its ID */
export function beginSession(request: FastifyRequest, reply: FastifyReply, baseOf: BaseOf): string {
  const id = randomBytes(ID_BYTES).toString('base64url');
  reply.header('Set-Cookie', setCookie(id, scopeOf(baseOf(request)), COOKIE));
  return id;
}
