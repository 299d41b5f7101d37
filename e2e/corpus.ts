/** The shared corpus of real traces and what is known of them (MANIFEST.tsv beside the traces). */
import { readFileSync } from 'node:fs';
import { TRACES } from './harness.ts';

export interface KnownTrace {
  /** Path below the corpus; its address is `/local/<path>`. */
  path: string;
  loads: boolean;
  /** Why it does not load, as one engine said it. */
  error: string;
  /** `slice`, `sched`, `thread`, `process`, `counter` rows; -1 where it does not load. */
  counts: number[];
  durationNs: string;
}

/** The SQL that gives `counts` and then the duration, in the order of the fields above. */
export const COUNTS_SQL = `SELECT (SELECT count(*) FROM slice) AS slices,
  (SELECT count(*) FROM sched) AS sched, (SELECT count(*) FROM thread) AS threads,
  (SELECT count(*) FROM process) AS processes, (SELECT count(*) FROM counter) AS counters,
  (SELECT end_ts - start_ts FROM trace_bounds) AS duration_ns`;

export function knownTraces(): KnownTrace[] {
  const [header = '', ...lines] = readFileSync(`${TRACES}/MANIFEST.tsv`, 'utf8')
    .trimEnd()
    .split('\n');
  const names = header.split('\t');
  return lines.map((line) => {
    const fields = line.split('\t');
    const field = (name: string): string => fields[names.indexOf(name)] ?? '';
    const count = (name: string): number => (field(name) === '-' ? -1 : Number(field(name)));
    return {
      path: field('path'),
      loads: field('loads_ok') === 'yes',
      error: field('error'),
      counts: ['slices', 'sched', 'threads', 'processes', 'counters'].map(count),
      durationNs: field('duration_ns'),
    };
  });
}
