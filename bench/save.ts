/** Writes the table of a run into docs/PERFORMANCE.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/common/root.ts';
import type { Measure } from './bench.ts';
import { type Machine, table } from './report.ts';

const BETWEEN = /(<!-- bench: .*? -->\n)[\s\S]*?(<!-- end -->)/;

export function save(machine: Machine, measures: Measure[]): void {
  const file = join(ROOT, 'docs/PERFORMANCE.md');
  const { cpu, cores, memoryGiB, node, linux, load } = machine;
  const on = `Measured on ${cores} cores (${cpu}), ${memoryGiB} GiB, Linux ${linux}, Node ${node}, load average ${load} at the end:`;
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(BETWEEN, `$1${on}\n\n${table(measures)}\n$2`));
}
