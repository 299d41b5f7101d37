/** Installs an engine: copies or downloads its files, checks them, and puts them in place in one step. */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeDirectoryLater } from '../../lib/common/directories.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import {
  BUNDLED,
  BUNDLED_DIRECTORY,
  enginesDirectory,
  isEngineName,
  WASM,
  WASM64,
} from '../../lib/engine/engine-choice.ts';
import { hasMemory64, loadEngine } from '../../lib/engine/index.ts';
import { type Digests, settleDigests } from './digests.ts';
import type { EngineSource, SourceFile } from './sources.ts';

const LICENSE = 'LICENSE';
const FILE_BYTES_MAX = 256 * 2 ** 20;

export interface InstalledEngine {
  name: string;
  version: string;
  from: string;
  digests: Digests;
  trust: 'pinned' | 'locked' | 'new';
}

/** Told how many bytes of a file are there. */
export type OnProgress = (file: string, bytes: number, size: number | undefined) => void;

/**
 * @param name of the engine; its version if undefined
 * @throws BigtraceError invalid_option, store_failed
 */
export async function addEngine(
  dataDir: string,
  source: EngineSource,
  name: string | undefined,
  onProgress: OnProgress,
): Promise<InstalledEngine> {
  const engines = enginesDirectory(dataDir);
  await makeDirectoryLater(engines);
  const scratch = await mkdtemp(join(engines, '.new-'));
  try {
    const digests = await fetchFiles(source, scratch, onProgress);
    const version = await versionOf(scratch, digests);
    const short = /v\d+\.\d+(-[0-9a-f]+)?/.exec(version)?.[0];
    const chosen = name ?? short ?? '';
    if (!isEngineName(chosen) || chosen === BUNDLED)
      throw new BigtraceError('invalid_option', `--name ${chosen}: it must be a name such as v52`);
    const target = join(engines, chosen);
    if (existsSync(target))
      throw new BigtraceError(
        'invalid_option',
        `there is an engine ${chosen}: remove it first (\`bigtrace engine remove ${chosen}\`), or give --name`,
      );
    const trust = settleDigests(dataDir, short ?? version, digests);
    const installed = { name: chosen, version, from: source.from, digests, trust };
    await writeFile(join(scratch, 'engine.json'), `${JSON.stringify(installed, null, 2)}\n`);
    await rename(scratch, target);
    return installed;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fetchFiles(
  source: EngineSource,
  directory: string,
  onProgress: OnProgress,
): Promise<Digests> {
  const digests: Digests = {};
  for (const name of [WASM, WASM64]) {
    const file = await source.open(name);
    if (file !== undefined)
      digests[name] = await write(file, join(directory, name), (bytes) =>
        onProgress(name, bytes, file.size),
      );
  }
  if (digests[WASM] === undefined)
    throw new BigtraceError('invalid_option', `${source.from} has no ${WASM}`);
  // Perfetto's site has no file with the licence, which is that of the bundled engine.
  const licence = await source.open(LICENSE);
  if (licence === undefined)
    await copyFile(join(BUNDLED_DIRECTORY, LICENSE), join(directory, LICENSE));
  else await write(licence, join(directory, LICENSE), () => {});
  return digests;
}

/** Writes a file and returns its SHA-256. @throws BigtraceError store_failed, limit_exceeded */
async function write(
  { bytes, size }: SourceFile,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  let written = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      written += chunk.length;
      onBytes(written);
      if (written <= FILE_BYTES_MAX) done(null, chunk);
      else
        done(
          new BigtraceError(
            'limit_exceeded',
            `the file has more than ${FILE_BYTES_MAX} bytes, the bound`,
          ),
        );
    },
  });
  try {
    await pipeline(bytes, counting, createWriteStream(path));
  } catch (cause) {
    if (cause instanceof BigtraceError) throw cause;
    throw new BigtraceError('store_failed', `the download broke off: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (size !== undefined && written !== size)
    throw new BigtraceError('store_failed', `the download has ${written} bytes, not ${size}`);
  return hash.digest('hex');
}

/** Loads the files and returns their version. @throws BigtraceError invalid_option: they differ, or are no engine */
async function versionOf(directory: string, digests: Digests): Promise<string> {
  const { version } = await loadEngine(join(directory, WASM));
  if (digests[WASM64] === undefined || !hasMemory64()) return version;
  const wide = await loadEngine(join(directory, WASM64));
  if (wide.version === version) return version;
  throw new BigtraceError(
    'invalid_option',
    `${WASM} is ${version}, ${WASM64} is ${wide.version}: they must be of one version`,
  );
}
