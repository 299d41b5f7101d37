/** Where the program's own files are: the top of the checkout, or the directory it is installed in. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The nearest directory with a package.json above this module, be it the source or a bundle in dist/. */
export const ROOT = nearestPackage(dirname(fileURLToPath(import.meta.url)));

/** The same as a base for `new URL('dist/…', ROOT_URL)`. */
export const ROOT_URL = pathToFileURL(`${ROOT}/`);

function nearestPackage(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('no package.json above the program');
  return nearestPackage(parent);
}
