/** Which traces a call means: addresses and patterns, or an expression over the catalog. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromHex } from '../../lib/common/text/byte-text.ts';
import type { Access, ListedTrace } from '../access.ts';

const TEXT_CHARS_MAX = 100_000;

export const selectionShape = {
  traces: z
    .array(z.string().min(1).max(4096))
    .max(1000)
    .optional()
    .describe("addresses and patterns, such as ['/local/app.pftrace', '/gcs/bucket/2026-11-*/**']"),
  where: z
    .string()
    .min(1)
    .max(TEXT_CHARS_MAX)
    .optional()
    .describe(
      'a ClickHouse expression over the columns of the catalog (describe_traces lists them), such as "arch = \'x86_64\' AND duration > 2e9"',
    ),
};

export const scriptShape = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .describe(
    'a PerfettoSQL script, which runs on each trace by itself; its last statement is a SELECT whose rows are the result',
  );

export interface Selection {
  traces?: string[] | undefined;
  where?: string | undefined;
}

/** FROM and WHERE of the traces that an expression selects, without those that are gone. */
export function selectedBy(where: string): string {
  return `FROM bigtrace.traces WHERE vanished_at IS NULL AND (${where}\n)`;
}

type Lists = Pick<Access, 'list' | 'rows'>;

export interface Survey {
  count: number;
  bytes: number;
  /** Some of the traces, chosen by a hash of their addresses, so that the same call chooses the same ones. */
  sample: ListedTrace[];
}

/** Returns at most `max` traces in the order of their addresses. @throws limit_exceeded if there are more */
export async function chosenTraces(
  access: Lists,
  selection: Selection,
  max: number,
  signal: AbortSignal,
): Promise<ListedTrace[]> {
  const { count, sample } = await survey(access, selection, max, signal);
  if (count > max)
    throw new BigtraceError(
      'limit_exceeded',
      `${count} traces are selected, more than max_traces (${max}); select fewer, or raise max_traces`,
    );
  return sample.sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** Counts the selected traces, and chooses some. @throws no_match if nothing is selected */
export async function survey(
  access: Lists,
  { traces, where }: Selection,
  sampleSize: number,
  signal: AbortSignal,
): Promise<Survey> {
  if ((traces === undefined) === (where === undefined))
    throw new BigtraceError('invalid_option', 'give either traces or where');
  const found =
    where === undefined
      ? await surveyOfPatterns(access, traces ?? [], sampleSize, signal)
      : await surveyOfCatalog(access, where, sampleSize, signal);
  if (found.count === 0)
    throw new BigtraceError(
      'no_match',
      where === undefined
        ? 'traces matches no trace'
        : 'where selects no trace of the catalog; describe_traces shows what is in it',
    );
  return found;
}

async function surveyOfPatterns(
  access: Lists,
  patterns: string[],
  sampleSize: number,
  signal: AbortSignal,
): Promise<Survey> {
  const found: Survey = { count: 0, bytes: 0, sample: [] };
  const sample: { key: string; trace: ListedTrace }[] = [];
  for await (const batch of access.list(patterns, 0, signal)) {
    found.count += batch.length;
    for (const trace of batch) {
      found.bytes += trace.bytes;
      sample.push({ key: createHash('sha1').update(trace.address).digest('hex'), trace });
    }
    // Sorted only when it has doubled, so that the whole is linear in the number of traces.
    if (sample.length > 2 * sampleSize + 1000) keepFirst(sample, sampleSize);
  }
  keepFirst(sample, sampleSize);
  return { ...found, sample: sample.map(({ trace }) => trace) };
}

function keepFirst(sample: { key: string }[], size: number): void {
  sample.sort((a, b) => (a.key < b.key ? -1 : 1));
  sample.length = Math.min(sample.length, size);
}

async function surveyOfCatalog(
  access: Lists,
  where: string,
  sampleSize: number,
  signal: AbortSignal,
): Promise<Survey> {
  const from = selectedBy(where);
  const [totals = []] = await access.rows(`SELECT count(), sum(size) ${from}`, { signal });
  const rows = await access.rows(
    `SELECT hex(address), size ${from} ORDER BY cityHash64(address), address LIMIT ${sampleSize}`,
    { signal },
  );
  return {
    count: Number(totals[0]),
    bytes: Number(totals[1]),
    sample: rows.map(([address, size]) => ({
      address: textFromHex(address),
      bytes: Number(size),
    })),
  };
}
