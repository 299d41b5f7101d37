/** Measures the processor time of a system's processes. */
import type { System } from '../../test/harness/system.ts';
import { processMs } from '../process-time.ts';

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
