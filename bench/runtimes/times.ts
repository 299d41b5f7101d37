/** What the processes of the bench measure. Times are processor times, in milliseconds. */

/**
 * `first`: loads each trace once and runs a script on it; `plain`: the same with the engine as it is without Bigtrace; `hot`:
 * loads one trace until V8 has optimized its code; `bare`: loads the traces after V8 has optimized its code, with that engine, too;
 * `restore`: brings a trace back; `shared`: has one trace in four threads; `cancel`: cancels endless scripts.
 */
export type RuntimeTask = 'first' | 'plain' | 'hot' | 'bare' | 'restore' | 'shared' | 'cancel';

export interface RuntimeTimes {
  /** Loading the last trace. */
  parseMs?: number;
  /** A script that reads all slices. */
  queryMs?: number;
  /** Loading all traces, with a script on each. */
  wholeMs?: number;
  /** Bringing a trace into an engine from its compressed snapshot file, and from an engine that holds it. */
  fromFileMs?: number;
  mappedMs?: number;
  /** The process, from its start. */
  processMs?: number;
  rssMiB?: number;
  /** Memory of the process, of which that of shared pages is counted in parts. */
  pssMiB?: number;
  cancelMs?: number[];
}

export const COUNT = 'SELECT count(*) FROM slice';

export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function timedCpu(work: () => void): number {
  const from = cpuMs();
  work();
  return cpuMs() - from;
}
