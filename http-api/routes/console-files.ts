/** Serves the console's few files from memory, so that no request path can reach other files. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../lib/common/observability/log.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Allows no inline code, no content of other origins, and no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  // Browsers revalidate each time, so that an upgrade is visible at once.
  'Cache-Control': 'no-cache',
};

/** The page that hands a trace to the Perfetto UI in another window. */
const OPENER = 'open.html';
const OPENS_WINDOWS = { 'Cross-Origin-Opener-Policy': 'same-origin-allow-popups' };

interface File {
  type: string;
  etag: string;
  bytes: Buffer;
}

/**
 * Serves the console. Register it before the token check: the files hold no secret, and the console itself asks the
 * user for the token.
 * @param directory output of the build; if it has no files, the console is not served and the rest works
 */
export function addConsoleFiles(app: FastifyInstance, directory: URL, log: Logger): void {
  const files = filesOf(directory);
  if (files.size === 0) log.warn({ directory: directory.pathname }, 'there is no console');
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return;
    const path = request.url.split('?', 1)[0] ?? '';
    // The page has the id as its fragment, so that it needs no path of its own.
    const opened = /^\/open\/([\w-]+)$/.exec(path)?.[1];
    if (opened !== undefined && files.has(OPENER)) return reply.redirect(`../${OPENER}#${opened}`);
    // Browsers get the console at `/`, other clients the status of the service.
    if (path === '/') reply.header('Vary', 'Origin, Accept');
    const isPage = path === '/' && (request.headers.accept?.includes('text/html') ?? false);
    const name = isPage ? 'index.html' : path.slice(1);
    const file = files.get(name);
    if (file !== undefined) return send(name, file, request, reply);
  });
}

function send(
  name: string,
  { type, etag, bytes }: File,
  { headers }: FastifyRequest,
  reply: FastifyReply,
) {
  reply.headers({ ...HEADERS, ...(name === OPENER ? OPENS_WINDOWS : {}), ETag: etag });
  if (headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(type).send(bytes);
}

function filesOf(directory: URL): Map<string, File> {
  const files = new Map<string, File>();
  for (const name of namesIn(directory)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(new URL(name, directory));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
    files.set(name, { type, etag, bytes });
  }
  return files;
}

function namesIn(directory: URL): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // the console was not built
  }
}
