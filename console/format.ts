/** Formats numbers, sizes, times and costs for display. */
import type { Cost } from '../http-api/contract/page.ts';

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 trace`, `2 traces` */
export function counted(value: number, noun: string): string {
  if (value === 1) return `1 ${noun}`;
  return `${count(value)} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 GiB` */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), BYTE_UNITS.length - 1);
  const scaled = value / 2 ** (10 * power);
  return `${power === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** `850 ms`, `2.4 s`, `3 min 05 s`, `2 h 07 min` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

export function ago(thenMs: number, nowMs: number): string {
  return nowMs - thenMs < 1000
    ? 'just now'
    : `${duration(Math.floor((nowMs - thenMs) / 1000) * 1000).replace(/\.0 s$/, ' s')} ago`;
}

/** Fraction of a whole, at most 1; 0 if the whole is 0, that is, not known yet. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(part / whole, 1);
}

/** Joins the text into one line and truncates it. */
export function oneLine(text: string, charsMax: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= charsMax ? line : `${line.slice(0, charsMax - 1)}…`;
}

/** Time of engine threads, bytes read, and where the results of the traces came from; what is 0 is left out. */
export function costTexts({ coreMs, traceBytes, ...tiers }: Cost): string[] {
  const { tracesRemembered, tracesLoaded, tracesRestored, tracesParsed } = tiers;
  const sources = [
    [tracesRemembered, 'remembered'],
    [tracesLoaded, 'loaded before'],
    [tracesRestored, 'restored'],
    [tracesParsed, 'parsed'],
  ] as const;
  return [
    ...(coreMs > 0 ? [`${duration(coreMs)} of engine threads`] : []),
    ...(traceBytes > 0 ? [`${bytes(traceBytes)} read`] : []),
    ...sources.filter(([traces]) => traces > 0).map(([traces, how]) => `${count(traces)} ${how}`),
  ];
}
