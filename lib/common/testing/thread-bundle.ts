/** Bundles the code of a thread for tests, because Node's threads do not execute TypeScript. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ownUrl } from '../../../tools/build/own-url.mjs';
import { rawText } from '../../../tools/build/raw-text.mjs';

/** Returns the URL of the bundle of `entry`, a path, which is removed when this process ends. */
export async function threadBundle(entry: string): Promise<URL> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-thread-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const outfile = join(directory, 'thread.mjs');
  const output = { outfile, bundle: true, platform: 'node', format: 'esm' } as const;
  await build({ entryPoints: [entry], ...output, plugins: [ownUrl, rawText] });
  return pathToFileURL(outfile);
}
