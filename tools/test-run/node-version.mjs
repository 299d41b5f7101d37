/** `node tools/test-run/node-version.mjs 22` installs that Node version once and prints the directory of its `node`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withNpmEnvironment } from '../build/npm.mjs';
import { oneAtATime } from '../build/one-at-a-time.mjs';
import { root } from '../root.mjs';

const VERSIONS = join(root, 'vendor/node');

const [version = ''] = process.argv.slice(2);
const directory = join(VERSIONS, version);
/** The npm package with the binary of this platform; the install script of the package `node` would select it. */
const name = `node-${process.platform}-${process.arch}`;

await oneAtATime(`node ${directory}`, () => existsSync(directory) || install());
console.log(join(directory, 'node_modules', name, 'bin'));

/** Installs under a temporary name and renames it, so that no process sees a partial installation. */
async function install() {
  mkdirSync(VERSIONS, { recursive: true });
  const made = mkdtempSync(`${directory}.new-`);
  const args = ['install', '--prefix', made, '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await withNpmEnvironment((env) =>
      execFileSync('npm', [...args, `${name}@${version}`], { env, stdio: ['ignore', 2, 2] }),
    );
    renameSync(made, directory);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
