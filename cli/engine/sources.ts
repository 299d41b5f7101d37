/** Where the files of an engine come from: a directory, a URL, or a version on Perfetto's site or a mirror of it. */
import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { BigtraceError } from '../../lib/common/errors.ts';
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
      const response = await get(`${base}/${name}`);
      if (response === undefined) return undefined;
      const length = Number(response.headers.get('content-length') ?? Number.NaN);
      const size = response.headers.has('content-encoding') || Number.isNaN(length);
      const bytes = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
      return { bytes, size: size ? undefined : length };
    },
  };
}

/** Finds the newest version that begins so in the index page of the UI, which names its channels' versions. */
async function wholeVersion(version: string, mirror: string): Promise<string> {
  if (WHOLE_VERSION.test(version)) return version;
  const index = `${mirror}/index.html`;
  const text = ((await (await get(index))?.text()) ?? '').slice(0, INDEX_BYTES_MAX);
  const versions = [...new Set(text.match(/v\d+\.\d+-[0-9a-f]{6,}/g) ?? [])];
  const matching = versions.filter(
    (each) => each.startsWith(`${version}.`) || each.startsWith(`${version}-`),
  );
  if (matching[0] !== undefined) return matching.toSorted().at(-1) ?? matching[0];
  throw new BigtraceError(
    'invalid_option',
    `${index} names no version ${version}; it names ${versions.join(', ') || 'none'}: give a whole one (vX.Y-commit)`,
  );
}

/** @returns undefined if there is no such file @throws BigtraceError store_failed */
async function get(url: string): Promise<Response | undefined> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    const why =
      cause instanceof Error
        ? ((cause.cause as Error | undefined)?.message ?? cause.message)
        : cause;
    throw new BigtraceError('store_failed', `${url} cannot be downloaded: ${why}`, { cause });
  }
  if (response.ok && response.body !== null) return response;
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new BigtraceError('store_failed', `${url} cannot be downloaded: HTTP ${response.status}`);
}
