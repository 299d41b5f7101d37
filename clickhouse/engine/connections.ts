/**
 * Bound of the connections to the embedded engine. Each has a thread and a descriptor, also before it has logged in, so
 * the bound leaves descriptors for the files and programs of queries.
 */
import { softFileLimit } from '../../lib/common/file-limit.ts';

const CONNECTIONS_MAX = 4096;

/** @param limits content of /proc/self/limits */
export function connectionsMax(limits: string): number {
  return Math.min(CONNECTIONS_MAX, Math.floor(softFileLimit(limits) / 2));
}
