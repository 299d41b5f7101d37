/**
 * Bound of the connections to ClickHouse. Each has a thread and a descriptor, also before it has logged in, so
 * the bound leaves descriptors for the files and programs of queries.
 */
import { openFilesMax } from '../../lib/common/file-limit.ts';

const CONNECTIONS_MAX = 4096;

export function connectionsMax(): number {
  return Math.min(CONNECTIONS_MAX, Math.floor(openFilesMax() / 2));
}
