/** Where things are: the build puts this module into a file in `dist/`. */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DIST = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(DIST);

/** All of `bigtrace`, services too. */
export const PROGRAM = join(DIST, 'bigtrace.js');

/** A checkout keeps its data to itself; an installed package must not write where it lies. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (existsSync(join(ROOT, 'tools/build/build.mjs'))) return join(ROOT, 'data');
  return join(env['XDG_DATA_HOME'] || join(homeDirectory(), '.local/share'), 'bigtrace');
}

/** The directory for temporary files, for a user that has no home. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}

export const SAMPLE_TRACES = join(ROOT, 'samples/traces');
