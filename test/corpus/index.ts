/**
 * The corpus: traces with known answers, damaged and hostile files. `manifest.tsv` has one line a file.
 * Tests read it below CORPUS, where `assemble.ts` puts it together before the first test.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';

export const CORPUS_SOURCE = join(ROOT, 'test/corpus');
export const SAMPLES = join(ROOT, 'samples/traces');

/** The assembled corpus: what tests give a worker as the root of `/local`. */
export const CORPUS = join(ROOT, 'vendor/corpus');

export interface CorpusTrace {
  /** Below CORPUS; its address is `/local/<path>`. */
  path: string;
  /** In `files/`, among the samples, or made by `generated.ts` or `android.ts`. */
  kept: 'stored' | 'sample' | 'generated';
  /** Of the file; undefined where it is generated. */
  sha256: string | undefined;
  loads: boolean;
  /** Why it does not load, as the engine said it. */
  error: string;
  /** Numbers of `slice`, `sched`, `thread`, `process` and `counter` rows; -1 where it does not load. */
  counts: number[];
  durationNs: string;
}

const COUNTED = ['slices', 'sched', 'threads', 'processes', 'counters'];

/** The query that gives `counts` and then the duration, in that order. */
export const COUNTS_SQL = `SELECT (SELECT count(*) FROM slice) AS slices,
  (SELECT count(*) FROM sched) AS sched, (SELECT count(*) FROM thread) AS threads,
  (SELECT count(*) FROM process) AS processes, (SELECT count(*) FROM counter) AS counters,
  (SELECT end_ts - start_ts FROM trace_bounds) AS duration_ns`;

export function corpusTraces(): CorpusTrace[] {
  const [header = '', ...lines] = readFileSync(join(CORPUS_SOURCE, 'manifest.tsv'), 'utf8')
    .trimEnd()
    .split('\n');
  const names = header.split('\t');
  return lines.map((line) => {
    const fields = line.split('\t');
    const field = (name: string): string => fields[names.indexOf(name)] ?? '';
    return {
      path: field('path'),
      kept: field('kept') as CorpusTrace['kept'],
      sha256: field('sha256') === '-' ? undefined : field('sha256'),
      loads: field('loads') === 'yes',
      error: field('error').replaceAll('\\\\', '\\'),
      counts: COUNTED.map((name) => (field(name) === '-' ? -1 : Number(field(name)))),
      durationNs: field('duration_ns'),
    };
  });
}

/** The file of the repository that a stored trace or a sample is a copy of. */
export function keptFile({ path, kept }: CorpusTrace): string {
  return kept === 'sample'
    ? join(SAMPLES, path.replace(/^recorded\//, ''))
    : join(CORPUS_SOURCE, 'files', path);
}
