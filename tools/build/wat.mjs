/** Implements `import bytes from './file.wat'`, as `bridge/cells/wat.d.ts` declares it, for esbuild and vite. */
import { readFileSync } from 'node:fs';
import wabt from 'wabt';

const WAT = /\.wat$/;

/** Returns the source of a module whose default export is a Buffer of the assembled WebAssembly module. */
async function moduleOf(path) {
  const { parseWat } = await wabt();
  const assembled = parseWat(path, readFileSync(path, 'utf8'));
  try {
    const { buffer } = assembled.toBinary({});
    return `export default Buffer.from('${Buffer.from(buffer).toString('base64')}', 'base64');`;
  } finally {
    assembled.destroy();
  }
}

export const esbuildWat = {
  name: 'wat',
  setup(build) {
    build.onLoad({ filter: WAT }, async ({ path }) => ({
      contents: await moduleOf(path),
      loader: 'js',
    }));
  },
};

export const viteWat = {
  name: 'wat',
  enforce: 'pre',
  async load(path) {
    return WAT.test(path) ? moduleOf(path) : undefined;
  },
};
