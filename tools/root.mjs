/** The top directory of the checkout. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url'; // Node before 20.11, which gets to hear what it lacks, has no import.meta.dirname

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
