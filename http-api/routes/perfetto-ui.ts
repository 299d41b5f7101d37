/** Serves a built Perfetto UI from this origin: its index.html at `/perfetto/`, its bigtrace.html at `/bigtrace/`. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { BigtraceError } from '../../lib/common/errors.ts';
import { type BaseOf, pathOf } from '../base.ts';

export interface PerfettoUi {
  /** Absolute path of the directory that Perfetto's build made. */
  directory: string;
  hasTraceViewer: boolean;
  hasBigtracePage: boolean;
}

/** @throws invalid_option if the directory has neither page */
export function perfettoUiIn(directory: string): PerfettoUi {
  const hasTraceViewer = existsSync(join(directory, 'index.html'));
  const hasBigtracePage = existsSync(join(directory, 'bigtrace.html'));
  if (!hasTraceViewer && !hasBigtracePage)
    throw new BigtraceError(
      'invalid_option',
      `--bigtrace-ui ${directory} has neither index.html nor bigtrace.html; name the directory of a built Perfetto UI`,
    );
  return { directory: resolve(directory), hasTraceViewer, hasBigtracePage };
}

export async function addPerfettoUi(
  app: FastifyInstance,
  { directory, hasTraceViewer, hasBigtracePage }: PerfettoUi,
  baseOf: BaseOf,
): Promise<void> {
  const pages = [
    ...(hasTraceViewer ? [['/perfetto', 'index.html'] as const] : []),
    ...(hasBigtracePage ? [['/bigtrace', 'bigtrace.html'] as const] : []),
  ];
  for (const [at, [path, file]] of pages.entries()) {
    await app.register(fastifyStatic, {
      ...{ root: directory, prefix: `${path}/`, index: false, redirect: false },
      decorateReply: at === 0,
      // Browsers revalidate each time, so that an upgrade is visible at once.
      cacheControl: false,
      schemaHide: true,
      setHeaders: (response, sent) => {
        for (const [name, value] of Object.entries(headersOf(sent)))
          response.setHeader(name, value);
      },
    });
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      const [, asked = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(request.url) ?? [];
      const base = baseOf(request);
      const isUnset = file === 'bigtrace.html' && !new URLSearchParams(query).has('server');
      // The page names its files relative to the directory, and has the address of the service as a parameter.
      const wanted = isUnset ? `server=${encodeURIComponent(base)}` : query;
      if (asked.endsWith('/') && !isUnset) {
        if (file !== 'bigtrace.html') return reply.sendFile(file, directory);
        const html = withEndpoint(readFileSync(join(directory, file), 'utf8'), base);
        return reply.headers(pageHeaders(html)).type('text/html; charset=utf-8').send(html);
      }
      return reply.redirect(`${pathOf(base)}${path}/${wanted === '' ? '' : `?${wanted}`}`);
    });
  }
}

/**
 * The BigTrace page with a script that sets its endpoint to this service. The page of August 2026 ignores the parameter
 * `server`, reads its endpoint from the browser's storage, and by default asks a server of Google.
 */
export function withEndpoint(html: string, endpoint: string): string {
  const [head = ''] = /^.*?<head[^>]*>/is.exec(html) ?? [];
  const text = JSON.stringify(endpoint).replaceAll('<', '\\u003c');
  const script = `(() => {
  let settings;
  try {
    settings = JSON.parse(localStorage.getItem('bigtraceSettings'));
  } catch {}
  localStorage.setItem('bigtraceSettings', JSON.stringify({ ...settings, bigtraceEndpoint: ${text} }));
})();`;
  return `${head}<script>${script}</script>${html.slice(head.length)}`;
}

const COMMON_HEADERS = {
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // The page /open/ID, which opens this one, may talk to it; pages of other origins may not.
  'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
};

function headersOf(path: string): Record<string, string> {
  return path.endsWith('.html') ? pageHeaders(readFileSync(path, 'utf8')) : COMMON_HEADERS;
}

/** The pages have inline scripts, which their hashes allow; they compile WebAssembly, and make workers and blobs. */
function pageHeaders(html: string): Record<string, string> {
  const scripts = inlineScripts(html).map(
    (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  const policy = [
    "default-src 'self'",
    ["script-src 'self' 'wasm-unsafe-eval'", ...scripts].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { ...COMMON_HEADERS, 'Content-Security-Policy': policy };
}

function inlineScripts(html: string): string[] {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>(.*?)<\/script>/gis)].map(
    ([, text = '']) => text,
  );
}
