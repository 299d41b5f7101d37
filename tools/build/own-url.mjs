/** Makes `import.meta.url` of a bundled module the URL of its source file, so that it finds the packages of the checkout. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** @type {import('esbuild').Plugin} */
export const ownUrl = {
  name: 'own-url',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: 'ts',
    }));
  },
};
