/**
 * The cookie of a login: the login, signed with a key made of the service's token. Every replica with the same token
 * accepts it, and none does once the token has been replaced.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { pathOf } from '../base.ts';

const NAME = 'bigtrace_login';
const PURPOSE = 'bigtrace login cookie 1';

export interface Login {
  id: string;
  /** The name that its user gave. */
  name: string;
  expiresMs: number;
}

export function sealed(token: string, { id, name, expiresMs }: Login): string {
  const payload = Buffer.from(JSON.stringify([id, name, expiresMs])).toString('base64url');
  return `${payload}.${signature(token, payload).toString('base64url')}`;
}

/** Returns the login in the cookie's value; undefined if another token signed it, or if it has expired. */
export function unsealed(token: string, value: string, nowMs: number): Login | undefined {
  const [payload = '', signed = ''] = value.split('.');
  const actual = Buffer.from(signed, 'base64url');
  const expected = signature(token, payload);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined;
  const parts = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
    string,
    string,
    number,
  ];
  const [id, name, expiresMs] = parts;
  return expiresMs > nowMs ? { id, name, expiresMs } : undefined;
}

function signature(token: string, payload: string): Buffer {
  const key = createHmac('sha256', token).update(PURPOSE).digest();
  return createHmac('sha256', key).update(payload).digest();
}

/** Returns the value of the cookie in a `Cookie` header; undefined if there is none. */
export function cookieIn(header: string | undefined, name = NAME): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [key = '', value] = pair.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

export interface CookieScope {
  /** The part of the URL's path that all pages of the service have; `/` for none. */
  path: string;
  /** Whether browsers reach the service over HTTPS. */
  isSecure: boolean;
}

/** @param base URL of the service */
export function scopeOf(base: string): CookieScope {
  return { path: `${pathOf(base)}/`, isSecure: base.startsWith('https:') };
}

/** Returns a `Set-Cookie` header. Without a value it deletes the cookie. The browser forgets it when it is closed. */
export function setCookie(
  value: string | undefined,
  { path, isSecure }: CookieScope,
  name = NAME,
): string {
  const end = value === undefined ? '; Max-Age=0' : '';
  const secure = isSecure ? '; Secure' : '';
  return `${name}=${value ?? ''}; Path=${path}; HttpOnly; SameSite=Strict${secure}${end}`;
}
