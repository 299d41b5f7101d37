/** The table in docs/PERFORMANCE.md of what a million traces take and cost, computed from measured costs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';
import { type Machine, thisMachine } from '../report.ts';
import { replaceBlock } from '../save.ts';
import type { BareCosts } from './bare-costs.ts';
import type { CpuMs } from './cpu.ts';
import { type Fleet, simulate, type TraceCost } from './simulation.ts';

/** Processor time of each trace in milliseconds, and the load under which it was measured. */
export interface FleetCosts extends Pick<Machine, 'cpu' | 'node' | 'load'> {
  /** Number of small traces. */
  traces: number;
  list: CpuMs;
  cold: CpuMs;
  remembered: CpuMs;
  bare: BareCosts;
}

/** Assumptions, which docs/PERFORMANCE.md explains: how many times as fast as hot V8 the compiled engine and C++ are. */
const MILLION = 1_000_000;
const NATIVE = 1.14;
const CPP = 1.63;
/** What V8 spends in each worker until its code is optimized. */
const WARM_UP_MS = 1500;
const FLEET = { workers: 1000, threads: 4, dollarsPerCoreHour: 0.04 };

const COSTS_FILE = join(ROOT, 'bench/fleet/costs.json');

/** Writes the costs, and the table into the documentation. */
export function saveFleetTable(measured: Omit<FleetCosts, 'cpu' | 'node' | 'load'>): void {
  const { cpu, node, load } = thisMachine();
  const costs = { cpu, node, load, ...measured };
  writeFileSync(COSTS_FILE, `${JSON.stringify(costs, undefined, 2)}\n`);
  replaceBlock('fleet', fleetTable(costs));
}

export function fleetTable(costs: FleetCosts): string {
  const { bare, cold, remembered, list } = costs;
  const { small, large } = bare;
  const engineMs = large.parseMs + large.queryMs;
  const restMs = remembered.workers;
  // While the services wait for engines, time passes in which they are idle: look-ups of results show what they cost.
  const orchestratorMs = remembered.orchestrator;
  const beside = restMs + large.statMs + large.readMs;
  const v8: Fleet = { ...FLEET, warmUpMs: WARM_UP_MS };
  const compiled: Fleet = { ...FLEET, warmUpMs: 0 };
  const rows: [string, TraceCost, Fleet][] = [
    ['cold, V8', { orchestratorMs, workerMs: engineMs + beside }, v8],
    ['cold, compiled engine', { orchestratorMs, workerMs: engineMs / NATIVE + beside }, compiled],
    [
      'warm: every trace is loaded',
      { orchestratorMs, workerMs: large.queryMs + restMs + large.statMs },
      compiled,
    ],
    [
      'remembered: every result is cached',
      { orchestratorMs: remembered.orchestrator, workerMs: remembered.workers },
      compiled,
    ],
    ['C++ Bigtrace, every query', { orchestratorMs: 0, workerMs: engineMs / CPP }, compiled],
  ];
  const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  const lines = rows.map(([what, cost, fleet]) => {
    const { seconds, coreHours, dollars, orchestrators } = simulate(MILLION, cost, fleet);
    const cells = [
      ms(cost.workerMs),
      ms(cost.orchestratorMs),
      ms(seconds),
      coreHours.toFixed(2),
      dollars.toFixed(2),
    ];
    return `| ${[what, ...cells, cost.orchestratorMs === 0 ? '' : orchestrators].join(' | ')} |`;
  });
  return `Measured with ${costs.traces.toLocaleString('en')} distinct traces of 10 KB, and one Chrome trace of ${(large.bytes / 1e6).toFixed(1)} MB, on ${costs.cpu}, Node
${costs.node}, load average ${costs.load} at the end; processor time, in milliseconds for each trace:

| listing | stat | read | parse | query | all workers | orchestrator | remembered: workers, orchestrator |
| --: | --: | --: | --: | --: | --: | --: | --: |
| ${[list.workers + list.orchestrator, small.statMs, small.readMs, small.parseMs, small.queryMs, cold.workers, cold.orchestrator].map((one) => one.toFixed(3)).join(' | ')} | ${remembered.workers.toFixed(3)}, ${remembered.orchestrator.toFixed(3)} |

A million traces of ${(large.bytes / 1e6).toFixed(1)} MB (${large.parseMs.toFixed(0)} ms to parse, ${large.queryMs.toFixed(1)} ms for the script, ${large.readMs.toFixed(0)} ms to read) on ${FLEET.workers.toLocaleString('en')} workers with ${FLEET.threads} cores, computed:

| a million traces | worker, ms each | orchestrator, ms each | time, s | core-hours | dollars | orchestrators that keep the workers busy |
| --- | --: | --: | --: | --: | --: | --: |
${lines.join('\n')}
`;
}
