/** Formats measures as a table and describes the machine. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { type Measure, median, reached } from './bench.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  node: string;
  linux: string;
  /** Load average of the last minute. */
  load: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    linux: release(),
    load: Math.round(loadavg()[0] ?? 0),
  };
}

export function table(measures: Measure[]): string {
  const rows = measures.map((measure) => [
    measure.what,
    targetText(measure),
    ...[Math.min(...measure.samples), median(measure.samples), Math.max(...measure.samples)].map(
      number,
    ),
    measure.unit,
    measure.target === undefined ? '' : reached(measure) ? 'yes' : 'NO',
  ]);
  const all = [['what', 'must reach', 'min', 'median', 'max', 'unit', 'reached'], ...rows];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  const lines = all.map(
    (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function targetText({ target }: Measure): string {
  if (target === undefined) return '';
  return 'atLeast' in target ? `>= ${target.atLeast}` : `<= ${target.atMost}`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
