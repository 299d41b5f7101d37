/** The virtual environments of the Python clients: pinned with hashes, made once. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';

const HERE = join(ROOT, 'test/clients');

/** Returns the directory with `python` and the programs of the packages in a lock file of this directory. */
export function pythonPrograms(
  lock: 'requirements-lock.txt' | 'requirements-dear-lock.txt',
): string {
  const wanted = join(HERE, lock);
  const venv = join(ROOT, 'node_modules/.cache/python-clients', lock.replace('-lock.txt', ''));
  const bin = join(venv, 'bin');
  const installed = join(venv, 'requirements.txt');
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(wanted))) return bin;
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(join(venv, '..'), { recursive: true });
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  };
  run('python3', '-m', 'venv', venv);
  run(
    join(bin, 'pip'),
    ...['install', '--quiet', '--disable-pip-version-check', '--no-compile', '--no-deps'],
    ...['--require-hashes', '--requirement', wanted],
  );
  copyFileSync(wanted, installed);
  return bin;
}
