#!/usr/bin/env node
/**
 * The `bigtrace` command. In a checkout it first installs, fetches the engine and builds, as far as
 * that is not done yet; in an installed package all of it is there. Plain JS: it needs nothing installed.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

module.enableCompileCache?.(); // Node 22 and later start faster with it

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const prepare = join(root, 'tools/build/prepare.mjs');
if (existsSync(prepare)) await (await import(urlOf(prepare))).prepareOrExit();
await import(urlOf(join(root, 'dist/bigtrace.js')));

/** `import` reads a plain path as a URL, in which `#`, `?` and `%` mean something else. */
function urlOf(path) {
  return pathToFileURL(path).href;
}
