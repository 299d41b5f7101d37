/** The directory in which `bigtrace` keeps its data unless a flag names another. */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.ts';

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
