/** Installs the engine and the FFI at the versions of the project's own lock file, and nothing else. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const wanted = ['@chdb/lib-linux-x64-gnu', 'ffi-rs'].map(
  (name) => `${name}@${packages[`node_modules/${name}`].version}`,
);
execFileSync('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', ...wanted], {
  stdio: 'inherit',
});
