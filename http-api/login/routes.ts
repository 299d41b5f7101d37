/** Routes to log in and out, and to see who one is. */

import type { FastifyInstance, FastifyReply } from 'fastify';
import { bearerCheck } from '../../lib/common/network/server-security.ts';
import { parsedUrl } from '../../lib/common/text/parsed-url.ts';
import { pathOf } from '../base.ts';
import { CallerAnswer } from '../contract/login.ts';
import { Empty } from '../contract/page.ts';
import { isOwnPage } from '../cors.ts';
import { schemaOf, typed } from '../routes/api.ts';
import { LoginAttempts } from './attempts.ts';
import type { AccessParts } from './authentication.ts';
import { callerOf } from './caller.ts';
import { scopeOf, setCookie } from './login-cookie.ts';
import { LOGIN_HEADERS, type LoginPage, loginPage, reloadPage } from './login-page.ts';
import type { Logins } from './logins.ts';

const FORM_BYTES_MAX = 16 * 2 ** 10;
const NAME_CHARS_MAX = 100;

const PAGE = { schema: { hide: true }, config: { isPublic: true } };

export function addLoginRoutes(app: FastifyInstance, parts: AccessParts): void {
  const { logins } = parts;
  typed(app).get('/api/caller', schemaOf(CallerAnswer), async (request) => {
    const { user, loginId } = callerOf(request);
    return { user, isLogin: loginId !== undefined };
  });
  if (logins === undefined) return;
  addLogout(app, logins, parts);
  // A scope of its own: no other route accepts forms, which pages of other sites can send.
  app.register((scope, _options, done) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    addLoginPage(scope, logins, parts);
    done();
  });
}

function addLoginPage(scope: FastifyInstance, logins: Logins, parts: AccessParts): void {
  const hasToken = bearerCheck(parts.serverSecurity);
  const attempts = new LoginAttempts();
  scope.get('/login', PAGE, async (request, reply) => {
    const { next = '' } = request.query as { next?: string };
    const path = pathOf(parts.baseOf(request));
    if (callerOf(request).account !== undefined) return reply.redirect(ownPath(String(next), path));
    if (request.headers['sec-fetch-site'] === 'cross-site')
      return page(reply, reloadPage(`${path}/login?next=${encodeURIComponent(next)}`));
    return page(reply, loginPage({ next: String(next) }));
  });
  scope.post('/login', PAGE, async (request, reply) => {
    const refused = (code: number, shown: LoginPage): FastifyReply =>
      page(reply.code(code), loginPage(shown));
    if (!(request.body instanceof URLSearchParams) || !isOwnPage(request, parts.corsOrigins))
      return refused(403, { next: '', problem: 'The request is not of this page.' });
    const { next = '', name = '', token = '' } = Object.fromEntries(request.body);
    const trimmed = name.trim();
    if (trimmed === '' || trimmed.length > NAME_CHARS_MAX)
      return refused(400, {
        next,
        problem: `The name must have 1 to ${NAME_CHARS_MAX} characters.`,
      });
    const waitS = attempts.waitS(request.ip, trimmed);
    if (waitS > 0) {
      reply.header('Retry-After', waitS);
      const problem = `Too many attempts with a wrong token. Try again in ${waitS} s.`;
      return refused(429, { next, name: trimmed, problem });
    }
    if (!hasToken?.(`Bearer ${token.trim()}`)) {
      attempts.failed(request.ip, trimmed);
      return refused(401, { next, name: trimmed, problem: 'The token is wrong.' });
    }
    const cookie = setCookie(await logins.begin(trimmed), scopeOf(parts.baseOf(request)));
    reply.header('Set-Cookie', cookie);
    return reply.redirect(ownPath(next, pathOf(parts.baseOf(request))), 303);
  });
}

function addLogout(app: FastifyInstance, logins: Logins, parts: AccessParts): void {
  typed(app).post('/logout', schemaOf(Empty, { body: Empty }), async (request, reply) => {
    const { loginId } = callerOf(request);
    if (loginId !== undefined) await logins.end(loginId);
    reply.header('Set-Cookie', setCookie(undefined, scopeOf(parts.baseOf(request))));
    return {};
  });
}

function page(reply: FastifyReply, html: string): FastifyReply {
  return reply.headers(LOGIN_HEADERS).type('text/html; charset=utf-8').send(html);
}

/**
 * Returns the path of a page of this service.
 * @param next relative to the service's URL; other pages become its first one
 * @param path of the service's URL
 */
export function ownPath(next: string, path: string): string {
  const base = new URL(`http://service${path}/`);
  const { origin, pathname, search, hash } = parsedUrl(next, base) ?? base;
  const isOwn = origin === base.origin && pathname.startsWith(base.pathname);
  return isOwn && !pathname.startsWith('//') ? `${pathname}${search}${hash}` : base.pathname;
}
