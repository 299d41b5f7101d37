/** The environment in which npm runs: its cache is a place that can be written, with a home directory or without. */
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Runs `work` with an environment for npm; a cache that had to be made is removed afterwards. */
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

/** Nowhere, for a user that has none. */
function homeDirectory() {
  try {
    return homedir();
  } catch {
    return '/nonexistent';
  }
}

/** Whether a directory can be written, or made. */
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
