/** Serves a built Perfetto UI from this origin: its index.html at `/perfetto/`, its bigtrace.html at `/bigtrace/`. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { BaseOf } from '../base.ts';
import { pathOf } from '../login/authentication.ts';

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
  return { directory, hasTraceViewer, hasBigtracePage };
}

export async function addPerfettoUi(
  app: FastifyInstance,
  { directory, hasTraceViewer, hasBigtracePage }: PerfettoUi,
  baseOf: BaseOf,
): Promise<void> {
  const pages = [
    ...(hasTraceViewer ? [['/perfetto/', 'index.html'] as const] : []),
    ...(hasBigtracePage ? [['/bigtrace/', 'bigtrace.html'] as const] : []),
  ];
  for (const [prefix, index] of pages)
    await app.register(fastifyStatic, {
      ...{ root: directory, prefix, index },
      decorateReply: false,
      // Browsers revalidate each time, so that an upgrade is visible at once.
      cacheControl: false,
      schemaHide: true,
      setHeaders: (response, path) => {
        for (const [name, value] of Object.entries(headersOf(path)))
          response.setHeader(name, value);
      },
    });
  app.addHook('onRequest', async (request, reply) => {
    const [path, query = ''] = request.url.split('?', 2);
    const base = baseOf(request);
    // The pages name their files relative to the directory.
    const prefix = pages.find(([one]) => path === one.slice(0, -1))?.[0];
    if (prefix !== undefined) return reply.redirect(`${pathOf(base)}${prefix}`);
    if (hasBigtracePage && path === '/bigtrace/' && !new URLSearchParams(query).has('server'))
      return reply.redirect(`${pathOf(base)}${path}?server=${encodeURIComponent(base)}`);
  });
}

/** The pages have inline scripts, which their hashes allow; they compile WebAssembly, and make workers and blobs. */
function headersOf(path: string): Record<string, string> {
  const common = {
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    // The page /open/ID, which opens this one, may talk to it; pages of other origins may not.
    'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
  };
  if (!path.endsWith('.html')) return common;
  const scripts = inlineScripts(readFileSync(path, 'utf8')).map(
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
  return { ...common, 'Content-Security-Policy': policy };
}

function inlineScripts(html: string): string[] {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>(.*?)<\/script>/gis)].map(
    ([, text = '']) => text,
  );
}
