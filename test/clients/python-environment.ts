/** The virtual environment of the Python clients: pinned with hashes, made once. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';

const LOCK = join(ROOT, 'test/clients/requirements-lock.txt');
const VENV = join(ROOT, 'node_modules/.cache/python-clients');
const INSTALLED = join(VENV, 'requirements.txt');

/** Returns the directory with `python` and the programs of packages. */
export function pythonPrograms(): string {
  const bin = join(VENV, 'bin');
  if (existsSync(INSTALLED) && readFileSync(INSTALLED).equals(readFileSync(LOCK))) return bin;
  rmSync(VENV, { recursive: true, force: true });
  mkdirSync(join(VENV, '..'), { recursive: true });
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  };
  run('python3', '-m', 'venv', VENV);
  run(
    join(bin, 'pip'),
    ...['install', '--quiet', '--disable-pip-version-check', '--no-compile', '--no-deps'],
    ...['--require-hashes', '--requirement', LOCK],
  );
  copyFileSync(LOCK, INSTALLED);
  return bin;
}
