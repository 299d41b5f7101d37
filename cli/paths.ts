/** Locations of files. The build bundles this module into a file in `dist/`. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DIST = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(DIST);

/** The program that runs all commands, including the services. */
export const PROGRAM = join(DIST, 'bigtrace.js');

export const SAMPLE_TRACES = join(ROOT, 'samples/traces');
