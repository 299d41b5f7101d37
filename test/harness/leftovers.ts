/** What queries of a running system may leave behind: open files and bridge processes. */
import { readdirSync, readFileSync } from 'node:fs';
import type { System } from './system.ts';

/** Returns the number of open files by process of the system. */
export function openFiles({ processes }: System): Record<string, number> {
  return Object.fromEntries(
    processes.map(({ name, pid }) => [name, readdirSync(`/proc/${pid}/fd`).length]),
  );
}

/** Returns the number of bridges that run a query. Bridges for column finding are not counted: they stay alive. */
export function runningBridges({ orchestrator }: System): number {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        return (
          command.includes('\0query\0') &&
          environment.includes(`BIGTRACE_ORCHESTRATOR=${orchestrator}`)
        );
      } catch {
        return false; // the process has just ended
      }
    }).length;
}
