/** Tests that a trace for which a worker has not enough memory fails alone, with what it needs. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { largeTrace, largeTraceOf } from '../corpus/large-trace.ts';
import { podsOf, SAMPLES, STATE, settled, sql } from './cluster.ts';

/** Its length alone does not tell that half of a worker's 2 GiB is too little for it. */
const TRACE_BYTES = 250e6;
const directory = join(STATE, 'traces/large');

beforeAll(async () => {
  mkdirSync(directory);
  const file = openSync(join(directory, 'large.pftrace'), 'w');
  for (const piece of largeTrace(largeTraceOf(TRACE_BYTES))) writeSync(file, piece);
  closeSync(file);
  await settled();
});
afterAll(() => rmSync(directory, { recursive: true }));

const script = 'SELECT count(*) AS n FROM sched';

test('a trace that needs more memory than a worker has fails alone, and no worker is killed', async () => {
  const before = await podsOf('worker');
  const rows = await sql(
    `SELECT _trace_address, n FROM bigtrace_lenient(traces=['/local/**'], sql='${script}') ORDER BY 1 FORMAT TSV`,
  );
  expect(rows).toBe(SAMPLES.map(({ address, sched }) => `${address}\t${sched}\n`).join(''));
  const failures = await sql(
    `SELECT trace, code FROM bigtrace.failures WHERE trace LIKE '/local/large/%' FORMAT TSV`,
    { user: 'admin' },
  );
  expect(failures).toBe('/local/large/large.pftrace\tlimit_exceeded\n');

  const after = await podsOf('worker');
  const told = (pods: typeof after): unknown[] =>
    pods
      .map(({ metadata, status }) => [metadata.uid, status.containerStatuses?.[0]?.restartCount])
      .toSorted();
  expect(told(after)).toEqual(told(before));
});

test('a strict query names the trace, and the memory that it needs', async () => {
  const query = `SELECT * FROM bigtrace(traces=['/local/large/*'], sql='${script}')`;
  await expect(sql(query)).rejects.toThrow(
    /\[\/local\/large\/large\.pftrace\]: TraceProcessor needs more memory than its bound of \d+ bytes/,
  );
});
