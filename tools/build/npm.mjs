/** Provides the environment in which npm runs, with a writable cache even without a home directory. */
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Runs `work` with an environment for npm. If npm's cache is not writable, a temporary one is used. */
export async function withNpmEnvironment(work) {
  if (canWrite(cacheDirectory())) return work(process.env);
  const cache = mkdtempSync(join(tmpdir(), 'bigtrace-npm-'));
  try {
    return await work({ ...process.env, npm_config_cache: cache, npm_config_logs_max: '0' });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function cacheDirectory() {
  return process.env.npm_config_cache ?? join(homeDirectory(), '.npm');
}

/** Returns a path that does not exist if the user has no home directory. */
function homeDirectory() {
  try {
    return homedir();
  } catch {
    return '/nonexistent';
  }
}

/** Whether a directory is writable or can be created. */
function canWrite(directory) {
  let existing = resolve(directory);
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
