import type { Plugin as EsbuildPlugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vite';

/** Makes `import bytes from './file.wat'` a Buffer of the assembled module, in bundles. */
export const esbuildWat: EsbuildPlugin;
/** The same in tests. */
export const viteWat: VitePlugin;
