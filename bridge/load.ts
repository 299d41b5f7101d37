/**
 * Starts bridge-main.cjs with V8's compiled code from an earlier run, which the build stores beside it. Without the
 * cache, compiling takes a third of the time from start to first row. A cache that is missing, or from another version
 * of Node, costs that time only.
 *
 * `--write-code-cache ARGUMENT…` runs the bridge with these arguments, and stores the code that V8 compiled.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

const program = join(import.meta.dirname, 'bridge-main.cjs');
const cacheFile = join(import.meta.dirname, 'bridge-main.cache');

function readCache(): Buffer | undefined {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

const writes = process.argv[2] === '--write-code-cache';
if (writes) process.argv.splice(2, 1);
const cachedData = writes ? undefined : readCache();
// esbuild writes ASCII only, which V8 keeps as one byte per character.
const script = new Script(`(function (require) {${readFileSync(program, 'latin1')}\n})`, {
  filename: program,
  ...(cachedData === undefined ? {} : { cachedData }),
});
if (writes)
  process.on('exit', () => {
    const unfinished = `${cacheFile}.${process.pid}`;
    writeFileSync(unfinished, script.createCachedData());
    renameSync(unfinished, cacheFile); // a bridge that starts meanwhile must not read an unfinished cache
  });
const run: (require: NodeJS.Require) => void = script.runInThisContext();
run(createRequire(program));
