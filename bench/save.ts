/** Writes the tables of a run into docs/PERFORMANCE.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/common/root.ts';
import type { Measure } from './bench.ts';
import { type Machine, table } from './report.ts';

const DOCS_FILE = join(ROOT, 'docs/PERFORMANCE.md');

/** Writes measures in place of the table of this name. @throws if the document has no such table */
export function saveTable(name: string, machine: Machine, measures: Measure[]): void {
  const { cpu, cores, memoryGiB, node, linux, load } = machine;
  const on = `Measured on ${cores} cores (${cpu}), ${memoryGiB} GiB, Linux ${linux}, Node ${node}, load average ${load} at the end:`;
  replaceBlock(name, `${on}\n\n${table(measures)}\n`);
}

/** Writes text between the comments of this name. @throws if the document has none */
export function replaceBlock(name: string, block: string): void {
  const between = new RegExp(`(<!-- ${name}: .*? -->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`);
  const text = readFileSync(DOCS_FILE, 'utf8');
  if (!between.test(text)) throw new Error(`${DOCS_FILE} has no table ${name}`);
  writeFileSync(
    DOCS_FILE,
    text.replace(between, (_, begin, end) => begin + block + end),
  );
}
