import type { Plugin } from 'esbuild';
export const ownUrl: Plugin;
