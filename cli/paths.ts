/** Locations of files. The build bundles this module into a file in `dist/`. */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DIST = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(DIST);

/** The program that runs all commands, including the services. */
export const PROGRAM = join(DIST, 'bigtrace.js');

/**
 * The default data directory: `data` in a checkout, otherwise in the user's home, because an installed package must not
 * write into its own directory.
 */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (existsSync(join(ROOT, 'tools/build/build.mjs'))) return join(ROOT, 'data');
  return join(env['XDG_DATA_HOME'] || join(homeDirectory(), '.local/share'), 'bigtrace');
}

/** The home directory, or the directory for temporary files if the user has none. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}

export const SAMPLE_TRACES = join(ROOT, 'samples/traces');
