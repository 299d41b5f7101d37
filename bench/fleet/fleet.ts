/** Measures what a distinct small trace costs, by part, in processor time; the simulation computes fleets from it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import { ROOT } from '../../lib/common/root.ts';
import { type System, startSystem } from '../../test/harness/system.ts';
import type { Bench, Measure } from '../bench.ts';
import { BenchClient } from '../queries.ts';
import { chromeTraces } from '../traces.ts';
import { type BareCosts, bareCosts } from './bare-costs.ts';
import { type CpuMs, cpuMsDuring } from './cpu.ts';
import { saveFleetTable } from './fleet-table.ts';
import { distinctTextTraces } from './generator.ts';

const SQL = 'SELECT count(*) AS n FROM sched';
const SECOND_SQL = 'SELECT count(*) AS n FROM thread';
const ALL = ['/local/**'];
/** Number of remembered results, at least, so that the services are hot. */
const REMEMBERED = 30_000;
/** Number of traces that the bare engine is measured with: two thirds of them make it hot. */
const BARE_TRACES = 3000;

let costs: Parameters<typeof saveFleetTable>[0] | undefined;

export const fleet: Bench = {
  name: 'fleet',
  onlyByName: true,
  async run(quick) {
    const count = quick ? 300 : Number(process.env['BENCH_FLEET_TRACES'] ?? 100_000);
    using traces = distinctTextTraces(count);
    using large = chromeTraces([quick ? 1 : 20]);
    const bare = await bareCosts(
      SQL,
      traces.dir,
      large.files[0] ?? '',
      traces.files.slice(0, BARE_TRACES),
    );
    await using system = await startSystem({ traces: traces.dir });
    using client = new BenchClient(system.orchestrator);
    const during = async (work: () => Promise<unknown>): Promise<CpuMs> =>
      each(await cpuMsDuring(system, work), count);
    const list = await during(() => listed(system));
    const cold = await during(() => client.query(ALL, SQL));
    const second = await during(() => client.query(ALL, SECOND_SQL));
    const repetitions = Math.ceil(REMEMBERED / count);
    const repeated = await during(async () => {
      for (let n = 0; n < repetitions; n++) await client.query(ALL, SQL);
    });
    const remembered = each(repeated, repetitions);
    const index = await during(() => indexed(system));
    if (!quick) costs = { traces: count, list, cold, remembered, bare };
    const stages = { list, cold, second, remembered, index };
    return ofParts(bare, stages, count);
  },
  save: () => {
    if (costs !== undefined) saveFleetTable(costs);
  },
};

type Stages = Record<'list' | 'cold' | 'second' | 'remembered' | 'index', CpuMs>;

function ofParts({ small }: BareCosts, stages: Stages, count: number): Measure[] {
  const { list, cold, second, remembered } = stages;
  const engineMs = small.parseMs + small.queryMs;
  const rest = cold.workers - list.workers - small.statMs - small.readMs - engineMs;
  return [
    row('cold, beyond the hot engine', cold.workers + cold.orchestrator - engineMs, count),
    row('listing', list.workers + list.orchestrator, count),
    row('stat', small.statMs, count),
    row('read', small.readMs, count),
    row('the hot engine: parse', small.parseMs, count),
    row('the hot engine: query', small.queryMs, count),
    row('the rest of the worker', rest, count),
    row('orchestrator: placing, sending', cold.orchestrator - list.orchestrator, count),
    row('client', cold.client, count),
    row('a second script', whole(second), count),
    row('remembered', whole(remembered), count),
    row('index', whole(stages.index), count),
  ];
}

function row(part: string, ms: number, count: number): Measure {
  const what = `${count.toLocaleString('en')} distinct traces of 10 KB, core time of each: ${part}`;
  return { what, unit: 'ms', samples: [ms] };
}

function each(cpu: CpuMs, count: number): CpuMs {
  const { workers, orchestrator, clickhouse, client } = cpu;
  return {
    ...{ workers: workers / count, orchestrator: orchestrator / count },
    ...{ clickhouse: clickhouse / count, client: client / count },
  };
}

export function whole({ workers, orchestrator, clickhouse, client }: CpuMs): number {
  return workers + orchestrator + clickhouse + client;
}

async function listed({ orchestrator }: System): Promise<void> {
  const client = new OrchestratorClient(orchestrator);
  const request = { pattern: ALL.map((one) => Buffer.from(one)), limit: 0 };
  for await (const _ of client.list(request, new AbortController().signal));
  client.close();
}

export async function indexed({
  orchestrator,
  clickhouseHttp,
  adminPassword,
}: System): Promise<void> {
  const flags = ['--orchestrator', orchestrator, '--clickhouse', clickhouseHttp];
  const program = join(ROOT, 'cli/bigtrace.mjs');
  const env = { ...process.env, BIGTRACE_ADMIN_PASSWORD: adminPassword };
  await promisify(execFile)(process.execPath, [program, 'index', ...ALL, ...flags], { env });
}
