#!/usr/bin/env node
/**
 * The `bigtrace` command. In a checkout it first installs dependencies, fetches the engine and builds, unless that is
 * already done; an installed package contains everything. It is plain JavaScript, so that it runs before anything is
 * installed.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

module.enableCompileCache?.(); // available since Node 22, for a faster start

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const prepare = join(root, 'tools/build/prepare.mjs');
if (existsSync(prepare)) await (await import(urlOf(prepare))).prepareOrExit();
await import(urlOf(join(root, 'dist/bigtrace.js')));

/** `import` parses a plain path as a URL, in which `#`, `?` and `%` have a special meaning. */
function urlOf(path) {
  return pathToFileURL(path).href;
}
