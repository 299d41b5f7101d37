/** Measures the processor time of processes, which depends less on what else the machine does than elapsed time. */
import { readFileSync } from 'node:fs';
import type { System } from '../../test/harness/system.ts';

/** The kernel reports times in units of 10 ms (USER_HZ). */
const TICK_MS = 10;
const USER_TIME = 11;
/** User and system time, and those of the children that have ended. */
const TIMES = 4;

/** Processor time in milliseconds, of all workers together and of the others. */
export interface CpuMs {
  workers: number;
  orchestrator: number;
  clickhouse: number;
  /** This process, and the programs that it has run. */
  client: number;
}

export function cpuMsOf({ processes }: Pick<System, 'processes'>): CpuMs {
  const of = (part: string): number =>
    processes
      .filter(({ name }) => name.startsWith(part))
      .reduce((sum, { pid }) => sum + processMs(pid), 0);
  return {
    ...{ workers: of('worker'), orchestrator: of('orchestrator'), clickhouse: of('clickhouse') },
    client: processMs(process.pid),
  };
}

/** Returns the processor time that `work` took in each process. */
export async function cpuMsDuring(system: System, work: () => Promise<unknown>): Promise<CpuMs> {
  const before = cpuMsOf(system);
  await work();
  const after = cpuMsOf(system);
  return {
    workers: after.workers - before.workers,
    orchestrator: after.orchestrator - before.orchestrator,
    clickhouse: after.clickhouse - before.clickhouse,
    client: after.client - before.client,
  };
}

function processMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(USER_TIME, USER_TIME + TIMES);
  return ticks.reduce((sum, each) => sum + Number(each), 0) * TICK_MS;
}
