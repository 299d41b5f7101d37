/** `npm run bench [-- --quick] [--save] [NAME…]`: runs the benches in sequence: the named ones, or all that need only Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/common/root.ts';
import { BARE, bareMain } from './bare.ts';
import { type Bench, type Measure, reached } from './bench.ts';
import { cold } from './cold.ts';
import { atOnce } from './concurrency/at-once.ts';
import { hotTrace } from './concurrency/hot-trace.ts';
import { BARE_COSTS, bareCostsMain } from './fleet/bare-costs.ts';
import { fleet } from './fleet/fleet.ts';
import { jsonFleet } from './fleet/json-traces.ts';
import { loaded } from './loaded.ts';
import { million } from './million.ts';
import { overhead } from './overhead.ts';
import { table, thisMachine } from './report.ts';
import { rows } from './rows.ts';
import { runtimes } from './runtimes/runtimes.ts';
import { saveTable } from './save.ts';
import { smallTracesBench } from './small-traces.ts';
import { STUB_WORKER, stubWorkerMain } from './stub-worker.ts';
import { throughput } from './throughput.ts';

const BENCHES: Bench[] = [
  cold,
  loaded,
  rows,
  overhead,
  smallTracesBench,
  million,
  throughput,
  hotTrace,
  atOnce,
  runtimes,
  fleet,
  jsonFleet,
];

const FLAGS = ['--quick', '--save'];

async function bench(args: string[]): Promise<void> {
  const names = args.filter((arg) => !FLAGS.includes(arg));
  const unknown = names.filter((name) => !BENCHES.some((each) => each.name === name));
  if (unknown.length > 0)
    throw new Error(
      `no bench ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`,
    );
  const measures: Measure[] = [];
  /** The measures of each table in docs/PERFORMANCE.md. */
  const tables = new Map<string, Measure[]>();
  for (const each of BENCHES) {
    if (names.length > 0 ? !names.includes(each.name) : each.onlyByName) continue;
    console.error(`bench ${each.name} …`);
    const own = await each.run(args.includes('--quick'));
    measures.push(...own);
    const name = each.table ?? 'bench';
    if (each.save === undefined) tables.set(name, [...(tables.get(name) ?? []), ...own]);
    else if (args.includes('--save')) each.save();
  }
  const machine = thisMachine();
  const file = join(ROOT, 'test-results/bench.json');
  mkdirSync(join(ROOT, 'test-results'), { recursive: true });
  writeFileSync(file, JSON.stringify({ machine, measures }, null, 2));
  if (args.includes('--save'))
    for (const [name, ofTable] of tables) saveTable(name, machine, ofTable);
  console.log(`${table(measures)}\n\nalso in ${file}`);
  if (!measures.every(reached)) process.exitCode = 1;
}

const [mode, ...args] = process.argv.slice(2);
if (mode === BARE) await bareMain(args);
else if (mode === BARE_COSTS) await bareCostsMain(args);
else if (mode === STUB_WORKER) await stubWorkerMain();
else await bench(process.argv.slice(2));
