/** Addons on disk: for each wasm file an addon, and beside it a record of how it was made. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAddon } from './addon.ts';
import { builtOf } from './host-sources.ts';

/** How an addon was made. */
export interface AddonRecord {
  /** See `builtOf`. */
  built: string;
  /** SHA-256 of the addon, hex. */
  sha256: string;
  /** The compiler's version. */
  compiler: string;
  flags: readonly string[];
  /** The version of wasm2c. */
  wasm2c: string;
}

/** Returns the directory of the addons of the engines in a data directory. */
export function addonsDirectory(dataDir: string): string {
  return join(dataDir, 'engines', 'native');
}

/** @param wasm SHA-256 of the wasm file, hex */
export function addonFile(directory: string, wasm: string): string {
  return join(directory, `${wasm.slice(0, 16)}-${process.platform}-${process.arch}.node`);
}

export function recordFile(addon: string): string {
  return `${addon}.json`;
}

/** Returns the record of an addon that is whole; undefined if there is none, or one of the files is damaged. */
export function recordOf(addon: string): AddonRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(addon), 'utf8')) as AddonRecord;
    const sha256 = createHash('sha256').update(readFileSync(addon)).digest('hex');
    return record.sha256 === sha256 ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds the addon of a wasm file. It is loaded, which executes it, only if not every user of the machine can replace it, and
 * its record confirms every byte of it.
 * @returns the path of the addon, or why there is none
 */
export function findAddon(
  directory: string,
  wasm: string,
): { addon: string } | { problem: string } {
  const addon = addonFile(directory, wasm);
  if (!existsSync(addon)) return { problem: `there is no ${addon}` };
  const open = [dirname(addon), addon, recordFile(addon)].find(isWritableByAll);
  if (open !== undefined)
    return { problem: `every user can write ${open}: \`chmod o-w\` closes it` };
  const record = recordOf(addon);
  if (record === undefined) return { problem: `${addon} is not what its record says` };
  if (record.built !== builtOf(wasm))
    return { problem: `${addon} was made for another version of Bigtrace` };
  try {
    if (loadAddon(addon).built === record.built) return { addon };
  } catch (thrown) {
    return { problem: `${addon} cannot be loaded: ${(thrown as Error).message}` };
  }
  return { problem: `${addon} is not what its record says` };
}

const OTHERS_WRITE = 0o002;

function isWritableByAll(path: string): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_WRITE) !== 0;
}
