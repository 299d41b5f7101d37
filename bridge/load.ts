/**
 * Starts bridge-main.cjs with the code that V8 compiled at an earlier run, which the build kept beside it:
 * compiling would take a third of the time from start to the first row. A cache that is missing, or of
 * another Node, costs that time and nothing else.
 *
 * `--write-code-cache ARGUMENT…` keeps the code of the run that follows.
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
// esbuild writes ASCII only, which V8 takes as it is.
const script = new Script(`(function (require) {${readFileSync(program, 'latin1')}\n})`, {
  filename: program,
  ...(cachedData === undefined ? {} : { cachedData }),
});
if (writes)
  process.on('exit', () => {
    const unfinished = `${cacheFile}.${process.pid}`;
    writeFileSync(unfinished, script.createCachedData());
    renameSync(unfinished, cacheFile); // whoever starts meanwhile reads no half of it
  });
const run: (require: NodeJS.Require) => void = script.runInThisContext();
run(createRequire(program));
