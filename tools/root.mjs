/** The top directory of the checkout. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url'; // Node < 20.11 has no import.meta.dirname, but must reach the version check

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
