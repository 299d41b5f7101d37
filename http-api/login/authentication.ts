/**
 * Decides who sent a request, and refuses it if the service needs credentials and the request has none: the bearer
 * token, the cookie of a login, or the name that a trusted proxy has set.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerCheck } from '../../lib/common/network/server-security.ts';
import type { ServerSecurity } from '../../lib/common/options/server-security-options.ts';
import { checkNameLength } from '../../lib/common/text/text-bounds.ts';
import { type BaseOf, type ProxyCheck, pathOf } from '../base.ts';
import { isOwnPage } from '../cors.ts';
import { badRequest } from '../http-error.ts';
import { type Caller, setCaller } from './caller.ts';
import { cookieIn } from './login-cookie.ts';
import type { Logins } from './logins.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route needs no credentials. */
    isPublic?: boolean;
  }
}

export interface AccessParts {
  serverSecurity: ServerSecurity;
  isProxy: ProxyCheck;
  baseOf: BaseOf;
  /** Origins whose pages may use the service, in addition to its own. */
  corsOrigins: readonly string[];
  /** Header in which a trusted proxy names the user, in lower case; undefined: none. */
  trustedUserHeader: string | undefined;
  /** Undefined: the service has no token to log in with. */
  logins: Logins | undefined;
}

/** Register it after CORS, because browsers send preflights without credentials. */
export function addAuthentication(app: FastifyInstance, parts: AccessParts): void {
  const { logins, trustedUserHeader } = parts;
  const hasToken = bearerCheck(parts.serverSecurity);
  const isOpen = hasToken === undefined && trustedUserHeader === undefined;
  const refusal =
    hasToken === undefined
      ? `the header ${trustedUserHeader} of a trusted proxy is missing`
      : 'the bearer token is missing or wrong';
  app.addHook('onRequest', async (request, reply) => {
    const proxied = proxyCaller(request, parts);
    if (proxied !== undefined) return setCaller(request, proxied);
    if (hasToken?.(request.headers.authorization)) return;
    const loggedIn = await loginCaller(request, parts);
    if (loggedIn !== undefined) return setCaller(request, loggedIn);
    if (isOpen || request.routeOptions.config.isPublic === true) return;
    if (logins === undefined || !isNavigation(request))
      return reply.code(401).send({ detail: refusal });
    const next = encodeURIComponent(request.url.replace(/^\/+/, ''));
    return reply.redirect(`${pathOf(parts.baseOf(request))}/login?next=${next}`);
  });
}

/** The user that a trusted proxy has authenticated. @throws invalid_option if the header comes twice */
function proxyCaller(request: FastifyRequest, parts: AccessParts): Caller | undefined {
  const { trustedUserHeader, isProxy, corsOrigins } = parts;
  if (trustedUserHeader === undefined || !isProxy(request.socket.remoteAddress)) return undefined;
  const [value = '', ...others] = valuesOf(trustedUserHeader, request.raw.rawHeaders);
  // A proxy that adds its header to one of the client's would let the client choose the name.
  if (others.length > 0) throw badRequest(`the header ${trustedUserHeader} comes more than once`);
  const name = Buffer.from(value, 'latin1').toString('utf8').trim();
  if (name === '' || !isOwnPage(request, corsOrigins)) return undefined;
  checkNameLength(`the header ${trustedUserHeader}`, name);
  return { user: `http-user:${name}`, account: `user:${name}` };
}

/** @param raw names and values by turns */
function valuesOf(name: string, raw: readonly string[]): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
}

async function loginCaller(
  request: FastifyRequest,
  { logins, corsOrigins }: AccessParts,
): Promise<Caller | undefined> {
  const cookie = cookieIn(request.headers.cookie);
  // Browsers send the cookie with requests of pages that other programs of this machine serve, too.
  if (logins === undefined || cookie === undefined || !isOwnPage(request, corsOrigins))
    return undefined;
  const login = await logins.find(cookie);
  if (login === undefined) return undefined;
  const { id, name } = login;
  return { user: `http-login:${name}`, account: `login:${id}`, loginId: id };
}

/** Whether a browser wants to show the response as a page. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  const { accept = '', 'sec-fetch-mode': mode = 'navigate' } = headers;
  return method === 'GET' && accept.includes('text/html') && mode === 'navigate';
}
