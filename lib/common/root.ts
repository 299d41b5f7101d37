/** Finds the program's own files: the top of the checkout, or the directory in which it is installed. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The nearest directory above this module (source or bundle in dist/) that has a package.json. */
export const ROOT = nearestPackage(dirname(fileURLToPath(import.meta.url)));

/** ROOT as a base for `new URL('dist/…', ROOT_URL)`. */
export const ROOT_URL = pathToFileURL(`${ROOT}/`);

function nearestPackage(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('no package.json above the program');
  return nearestPackage(parent);
}
