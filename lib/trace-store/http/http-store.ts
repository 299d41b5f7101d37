/** `/http/<host>/<path>` and `/https/…`: files of web servers. The rest of the address is the rest of the URL. */
import { httpUrl } from '../../common/addresses/canonical-address.ts';
import { BigtraceError } from '../../common/errors.ts';
import { changed, notFound } from '../failures.ts';
import { bodyBytes, HttpClient, type HttpReply, statusError } from '../http-request.ts';
import { type Sized, splitSize, withSize } from '../sized-generation.ts';
import type { ReadOptions, TraceStat, TraceStore } from '../trace-store.ts';
import { checkedLookup, checkHost, type HostRules } from './allowed-hosts.ts';

const REDIRECTS_MAX = 5;

/** A compressed copy would have another length, and no ranges. */
const PLAIN = { 'accept-encoding': 'identity' };

export function httpStore(scheme: 'http' | 'https', rules: HostRules): TraceStore {
  const client = new HttpClient();
  const lookup = checkedLookup(rules);

  /** Follows redirects within the host. */
  async function ask(
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
    let reply = await ask(path, 'HEAD', {}, signal);
    reply.body.resume();
    if (mayAnswerGet(reply.status)) {
      reply = await ask(path, 'GET', {}, signal);
      reply.body.destroy(); // only its headers were wanted
    }
    if (reply.status !== 200) throw statusError(reply.status, reply.statusText);
    return statOf(reply);
  }

  async function* read(path: string, { generation, start = 0, signal }: ReadOptions) {
    const { id, size } = splitSize(generation);
    if (start > 0 && start === size) return;
    const reply = await ask(path, 'GET', conditions(id, start), signal);
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
      throw notFound(
        `there is no such trace, and /${scheme} cannot list those that match a pattern`,
      );
    },
    close: () => client.close(),
  };
}

/**
 * Whether GET may succeed where HEAD does not: a server that knows no HEAD, or a URL that was signed for GET, which
 * stores answer with 400, 403 or 404.
 */
function mayAnswerGet(status: number): boolean {
  return [400, 401, 403, 404, 405, 501].includes(status);
}

/** @throws invalid_address */
function urlOf(scheme: string, path: string): URL {
  const url = httpUrl(scheme, path);
  if (url === undefined) throw new BigtraceError('invalid_address', `it makes no ${scheme} URL`);
  if (url.username !== '' || url.password !== '')
    throw new BigtraceError('invalid_address', 'a URL with a user or password in it is not taken');
  return url;
}

function parsedUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** @throws forbidden where it leads to another server; from http to https of the same host is no other. */
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
    `the server redirects to another, ${to?.host ?? 'which is no URL'}; ask that one where it is allowed`,
  );
}

/** How a server says which bytes it has: a strong ETag, else the time of change and the length. */
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
    'the server gives neither an ETag nor Last-Modified, so a change could not be noticed',
  );
}

/** A length that differs under the same strong ETag is a wrong answer, not another generation. */
function isOther(now: TraceStat, wanted: Sized): boolean {
  const { id, size } = splitSize(now.generation);
  return id !== wanted.id || (!id.startsWith('"') && size !== wanted.size);
}

/** The server refuses with 412 where it knows how; the answer's own headers are looked at all the same. */
function conditions(id: string, start: number): Record<string, string> {
  return {
    ...(id.startsWith('"') ? { 'if-match': id } : { 'if-unmodified-since': id }),
    ...(start === 0 ? {} : { range: `bytes=${start}-` }),
  };
}
