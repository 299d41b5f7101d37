/** Implements `import text from './file?raw'` for esbuild, as `lib/proto/raw.d.ts` declares it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @type {import('esbuild').Plugin} */
export const rawText = {
  name: 'raw-text',
  setup(build) {
    build.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw-text',
    }));
    build.onLoad({ filter: /.*/, namespace: 'raw-text' }, ({ path }) => ({
      contents: readFileSync(path),
      loader: 'text',
    }));
  },
};
