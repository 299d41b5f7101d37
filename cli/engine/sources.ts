/** Where the files of an engine come from: a directory, a URL, or a version on Perfetto's site or a mirror of it. */
import { createReadStream, existsSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { BigtraceError } from '../../lib/common/errors.ts';
import { httpAgent } from '../../lib/common/network/connect-timeout.ts';
import { WASM } from '../../lib/engine/engine-choice.ts';

/** The site of Perfetto's UI: each version of the UI is a directory there, and contains the engine. */
export const UPSTREAM = 'https://ui.perfetto.dev';

export interface SourceFile {
  bytes: Readable;
  /** Size in bytes, if it is known before. */
  size: number | undefined;
}

export interface EngineSource {
  /** Directory or URL, for the record. */
  from: string;
  /** Opens a file; undefined if there is none. @throws BigtraceError store_failed */
  open(name: string): Promise<SourceFile | undefined>;
}

/** A version of the UI, such as `v52.0-6b9586def`, or its beginning, such as `v52`. */
const VERSION = /^v\d+(\.\d+)?(-[0-9a-f]+)?$/;
const WHOLE_VERSION = /^v\d+\.\d+-[0-9a-f]{6,}$/;
const INDEX_BYTES_MAX = 2 ** 20;

/** @throws BigtraceError invalid_option, store_failed */
export async function sourceOf(what: string, mirror: string): Promise<EngineSource> {
  if (/^https?:\/\//.test(what)) return remote(what);
  if (existsSync(resolve(what, WASM))) return directory(resolve(what));
  if (VERSION.test(what)) return remote(`${mirror}/${await wholeVersion(what, mirror)}`);
  throw new BigtraceError(
    'invalid_option',
    `${what}: it is no directory with ${WASM}, no http(s) URL of one, and no version such as v52.0-6b9586def`,
  );
}

function directory(path: string): EngineSource {
  return {
    from: path,
    open: async (name) => {
      const file = join(path, name);
      return existsSync(file) ? { bytes: createReadStream(file), size: undefined } : undefined;
    },
  };
}

function remote(url: string): EngineSource {
  const base = url.replace(/\/+$/, '');
  return {
    from: base,
    open: async (name) => {
      const bytes = await get(`${base}/${name}`);
      if (bytes === undefined) return undefined;
      const length = bytes.headers['content-length'];
      return { bytes, size: length === undefined ? undefined : Number(length) };
    },
  };
}

/** Finds the newest version that begins so in the index page of the UI, which names its channels' versions. */
async function wholeVersion(version: string, mirror: string): Promise<string> {
  if (WHOLE_VERSION.test(version)) return version;
  const index = `${mirror}/index.html`;
  const found = await get(index);
  const page = found === undefined ? '' : (await text(found)).slice(0, INDEX_BYTES_MAX);
  const versions = [...new Set(page.match(/v\d+\.\d+-[0-9a-f]{6,}/g) ?? [])];
  const matching = versions.filter(
    (each) => each.startsWith(`${version}.`) || each.startsWith(`${version}-`),
  );
  if (matching[0] !== undefined) return matching.toSorted().at(-1) ?? matching[0];
  throw new BigtraceError(
    'invalid_option',
    `${index} names no version ${version}; it names ${versions.join(', ') || 'none'}; give one of them, or another one whole (vX.Y-commit, with six or more digits of the commit)`,
  );
}

const REDIRECTS_MAX = 5;

/**
 * Requests a file and follows redirects. It does not use `fetch`: in Node 24, an assertion in it ends the process when a
 * server closes the connection before all of the body was read.
 * @returns undefined if there is no such file @throws BigtraceError store_failed
 */
async function get(
  url: string,
  redirects = REDIRECTS_MAX,
): Promise<http.IncomingMessage | undefined> {
  const failed = (why: string, cause?: unknown): BigtraceError =>
    new BigtraceError('store_failed', `${url} cannot be downloaded: ${why}`, { cause });
  const response = await requested(url).catch((cause: Error) => {
    throw failed(cause.message, cause);
  });
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return response;
  response.resume();
  if (statusCode === 404) return undefined;
  const isRedirect = statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
  if (!isRedirect || redirects === 0) throw failed(`HTTP ${statusCode}`);
  return get(new URL(headers.location ?? '', url).href, redirects - 1);
}

function requested(url: string): Promise<http.IncomingMessage> {
  const isTls = url.startsWith('https:');
  const { request } = isTls ? https : http;
  return new Promise((resolve, reject) => {
    request(url, { agent: httpAgent({ isTls }) }, resolve)
      .on('error', reject)
      .end();
  });
}
