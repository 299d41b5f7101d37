/** The stores of `/http/<host>/<path>` and `/https/<host>/<path>` addresses: files on web servers. */
import { httpUrl } from '../../common/addresses/canonical-address.ts';
import { BigtraceError } from '../../common/errors.ts';
import { changed, notFound } from '../failures.ts';
import { bodyBytes, HttpClient, type HttpReply, statusError } from '../http-request.ts';
import { type Sized, splitSize, withSize } from '../sized-generation.ts';
import type { ReadOptions, TraceStat, TraceStore } from '../trace-store.ts';
import { checkedLookup, checkHost, type HostRules } from './allowed-hosts.ts';

const REDIRECTS_MAX = 5;

/** Refuses content encodings: a compressed response would have another length, and ranges would not apply. */
const PLAIN = { 'accept-encoding': 'identity' };

export function httpStore(scheme: 'http' | 'https', rules: HostRules): TraceStore {
  const client = new HttpClient();
  const lookup = checkedLookup(rules);

  /** Sends a request and follows up to 5 redirects within the host. */
  async function request(
    path: string,
    method: 'GET' | 'HEAD',
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply> {
    let url = urlOf(scheme, path);
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      checkHost(url, rules);
      const request = { url, method, headers: { ...PLAIN, ...headers }, signal, lookup };
      const reply = await client.request(request);
      const { location } = reply.headers;
      if (![301, 302, 303, 307, 308].includes(reply.status) || location === undefined) return reply;
      reply.body.resume();
      url = redirected(url, location);
    }
    throw new BigtraceError('store_failed', `more than ${REDIRECTS_MAX} redirects`);
  }

  async function stat(path: string, signal?: AbortSignal): Promise<TraceStat> {
    let reply = await request(path, 'HEAD', {}, signal);
    reply.body.resume();
    if (mayAllowGet(reply)) {
      reply = await request(path, 'GET', {}, signal);
      reply.body.destroy(); // only the headers are needed
    }
    if (reply.status !== 200) throw statusError(reply.status, reply.statusText);
    return statOf(reply);
  }

  async function* read(path: string, { generation, start = 0, signal }: ReadOptions) {
    const { id, size } = splitSize(generation);
    if (start > 0 && start === size) return;
    let reply = await request(path, 'GET', conditions(id, start), signal);
    if (start > 0 && RANGE_REFUSED.includes(reply.status)) {
      reply.body.destroy();
      reply = await request(path, 'GET', conditions(id, 0), signal); // bodyBytes skips the bytes before `start`
    }
    try {
      if (reply.status !== 200 && reply.status !== 206)
        throw statusError(reply.status, reply.statusText);
      if (isOther(statOf(reply), { id, size })) throw changed();
      yield* bodyBytes(reply, { start, size, signal });
    } finally {
      reply.body.destroy();
    }
  }

  return {
    name: scheme,
    stat,
    read,
    // biome-ignore lint/correctness/useYield: it refuses
    async *list() {
      throw notFound(`the trace does not exist, and /${scheme} cannot list traces by pattern`);
    },
    close: () => client.close(),
  };
}

/** Statuses of servers that do not serve a part of a file. */
const RANGE_REFUSED = [400, 405, 416, 501];

/**
 * Whether GET may tell more than this response to HEAD: the server does not implement HEAD, or only in part, or the URL
 * was signed for GET, in which case stores respond to HEAD with 400, 403 or 404.
 */
function mayAllowGet({ status, headers }: HttpReply): boolean {
  if (status !== 200) return [400, 401, 403, 404, 405, 501].includes(status);
  const { etag, 'last-modified': modified, 'content-length': length } = headers;
  return length === '0' || (etag === undefined && modified === undefined);
}

/** @throws invalid_address if the path makes no valid URL, or the URL contains a user or a password */
function urlOf(scheme: string, path: string): URL {
  const url = httpUrl(scheme, path);
  if (url === undefined)
    throw new BigtraceError('invalid_address', `it is not a valid ${scheme} URL`);
  if (url.username !== '' || url.password !== '')
    throw new BigtraceError('invalid_address', 'a URL must not contain a user or password');
  return url;
}

function parsedUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/**
 * Returns the target of a redirect.
 * @throws forbidden if it is another server; http to https of the same host is allowed
 */
function redirected(from: URL, location: string): URL {
  const to = parsedUrl(location, from);
  const isUpgrade =
    to?.hostname === from.hostname &&
    from.port === '' &&
    to.port === '' &&
    from.protocol === 'http:' &&
    to.protocol === 'https:';
  if (to?.origin === from.origin || (to !== undefined && isUpgrade)) return to;
  throw new BigtraceError(
    'forbidden',
    `the server redirects to another host (${to?.host ?? 'an invalid URL'}); use that URL, if --http-hosts allows it`,
  );
}

/**
 * Derives size and generation from the headers. The generation is a strong ETag, else Last-Modified, with the length.
 * @throws store_failed if the server sends neither
 */
function statOf({ headers, status }: HttpReply): TraceStat {
  const { etag, 'last-modified': modified, 'content-length': length } = headers;
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
  const sizeText = status === 206 ? total : length;
  const size = sizeText === undefined ? undefined : Number(sizeText);
  const modifiedMs = modified === undefined ? 0 : Date.parse(modified) || 0;
  const id = etag?.startsWith('"') ? etag : modified;
  if (id !== undefined) return { size, generation: withSize({ id, size }), modifiedMs };
  throw new BigtraceError(
    'store_failed',
    'the server sends neither ETag nor Last-Modified, so a change of the trace could not be detected',
  );
}

/** Whether the response is of another generation. A wrong length under the same strong ETag is a broken response. */
function isOther(now: TraceStat, expected: Sized): boolean {
  const { id, size } = splitSize(now.generation);
  return id !== expected.id || (!id.startsWith('"') && size !== expected.size);
}

/** Returns the request headers. Not every server honors the conditions with 412, so `read` also checks the reply. */
function conditions(id: string, start: number): Record<string, string> {
  return {
    ...(id.startsWith('"') ? { 'if-match': id } : { 'if-unmodified-since': id }),
    ...(start === 0 ? {} : { range: `bytes=${start}-` }),
  };
}
