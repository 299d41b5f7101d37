/** `bigtrace query --dry-run`: says what a query would read and cost, from what the workers have measured. */
import type { EstimateResponse, WorkerState } from '../../lib/proto/messages.ts';

/** What workers have measured since they started; undefined: nothing yet. */
interface Rates {
  workers: number;
  threads: number;
  /** Bytes that an engine thread parses in a second. */
  parse: { bytesPerS: number; traces: number } | undefined;
  restore: { ms: number; traces: number } | undefined;
  /** Of all scripts that ran. */
  script: { ms: number; traces: number } | undefined;
}

export function dryRunText(
  { sources, unknown }: EstimateResponse,
  workers: readonly WorkerState[],
): string {
  const { remembered, loaded, restored, parsed, failed, traceBytes, parsedBytes } = sources ?? NONE;
  const rates = ratesOf(workers);
  const traces = remembered + loaded + restored + parsed + failed + unknown;
  const counted: [name: string, count: number, more: string][] = [
    ['traces', traces, megabytes(traceBytes)],
    ['  remembered', remembered, 'their results are cached'],
    ['  loaded', loaded, 'an engine has them'],
    ['  restored', restored, 'from snapshots'],
    ['  parsed', parsed, `${megabytes(parsedBytes)} are read`],
    ['  failed', failed, 'they do not exist, or are barred'],
    ['  unknown', unknown, 'their workers did not say'],
  ];
  return [
    'Nothing was run. The sources are as they are now:',
    ...counted.map(
      ([name, count, more]) => `${name.padEnd(14)}${String(count).padStart(9)}  ${more}`,
    ),
    '',
    ...costLines(sources ?? NONE, unknown, rates),
  ].join('\n');
}

const NONE = {
  ...{ remembered: 0, loaded: 0, restored: 0, parsed: 0, failed: 0, traceBytes: 0, parsedBytes: 0 },
};

type Sources = typeof NONE;

function costLines(sources: Sources, unknown: number, rates: Rates): string[] {
  const { workers, threads, parse, restore, script } = rates;
  const rateLines = [
    parse === undefined
      ? '  parsing: no trace was parsed'
      : `  parsing: ${(parse.bytesPerS / 1e6).toFixed(1)} MB/s of each engine thread (${parse.traces} traces)`,
    restore === undefined
      ? '  restoring: no snapshot was restored'
      : `  restoring: ${restore.ms.toFixed(1)} ms a trace (${restore.traces} traces)`,
    script === undefined
      ? '  scripts: none ran'
      : `  scripts: ${script.ms.toFixed(1)} ms a trace, the mean of all scripts (${script.traces} traces)`,
  ];
  const measured =
    workers === 1
      ? 'the worker has measured since it started'
      : `${workers} workers have measured since they started`;
  return [
    `Rates that ${measured}:`,
    ...rateLines,
    ...estimateLines(threadMs(sources, rates), unknown, threads),
  ];
}

function estimateLines(ms: number | undefined, unknown: number, threads: number): string[] {
  if (ms === undefined)
    return ['No estimate of the time: a rate that it needs was not measured yet.'];
  if (threads === 0) return ['No estimate of the time: no worker is ready.'];
  const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`;
  const without = unknown === 0 ? '' : ', without the unknown traces';
  return [
    `Estimated: ${seconds(ms)} of engine threads; ${seconds(ms / threads)} on ${threads} of them, if nothing else runs` +
      `${without}. Requests to stores and the rows of the result take time in addition.`,
  ];
}

/** Time of engine threads; undefined if a rate that it needs is missing. */
function threadMs(
  { loaded, restored, parsed, parsedBytes }: Sources,
  rates: Rates,
): number | undefined {
  const { parse, restore, script } = rates;
  const ran = loaded + restored + parsed;
  const parts = [
    parsed === 0 ? 0 : parse && (parsedBytes / parse.bytesPerS) * 1000,
    restored === 0 ? 0 : restore && restored * restore.ms,
    ran === 0 ? 0 : script && ran * script.ms,
  ];
  let sum = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    sum += part;
  }
  return sum;
}

function ratesOf(all: readonly WorkerState[]): Rates {
  const ready = all.flatMap(({ state, status }) => (state === 'ready' && status ? [status] : []));
  const sum = (name: string): number =>
    ready.reduce((total, { counters }) => total + (counters[name] ?? 0), 0);
  const [parsed, restored] = [sum('tier_parse'), sum('tier_snapshot')];
  const ran = parsed + restored + sum('tier_loaded');
  const [parseMs, bytes] = [sum('parse_ms'), sum('trace_bytes')];
  return {
    workers: ready.length,
    threads: ready.reduce((total, { threads }) => total + threads, 0),
    parse:
      parsed > 0 && parseMs > 0 && bytes > 0
        ? { bytesPerS: (bytes / parseMs) * 1000, traces: parsed }
        : undefined,
    restore: restored > 0 ? { ms: sum('restore_ms') / restored, traces: restored } : undefined,
    script: ran > 0 ? { ms: sum('query_ms') / ran, traces: ran } : undefined,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
