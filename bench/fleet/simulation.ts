/**
 * Computes what a query over very many traces takes and costs, from the processor time of each part of a trace's way.
 * Every trace of a query is alike. One orchestrator runs one query.
 */

/** Processor time for one trace, in milliseconds. */
export interface TraceCost {
  /** Of the orchestrator: listing, placing the task, forwarding the result. */
  orchestratorMs: number;
  /** Of a worker: all that it does. */
  workerMs: number;
}

export interface Fleet {
  workers: number;
  /** Cores, and engine threads, of each worker. */
  threads: number;
  /** Processor time that a worker spends once before it works at full speed, in milliseconds. */
  warmUpMs: number;
  dollarsPerCoreHour: number;
}

export interface Outcome {
  /** From the question to the last row. */
  seconds: number;
  /** Of workers and orchestrator, for work alone. */
  coreHours: number;
  /** The cores of the workers for the whole time, whether they work or wait. */
  dollars: number;
  /** Orchestrators that keep the workers busy, when there are enough queries. */
  orchestrators: number;
}

export function simulate(traces: number, cost: TraceCost, fleet: Fleet): Outcome {
  const { workers, threads, warmUpMs, dollarsPerCoreHour } = fleet;
  const cores = workers * threads;
  /** When each thread is free, in milliseconds; all begin with their share of the warm-up. */
  const freeMs = new Float64Array(cores).fill(warmUpMs / threads);
  let lastMs = 0;
  for (let trace = 0; trace < traces; trace++) {
    // Each task takes the same time, so the thread that was given a task first is free first.
    const thread = trace % cores;
    const placedMs = (trace + 1) * cost.orchestratorMs;
    const doneMs = Math.max(placedMs, freeMs[thread] ?? 0) + cost.workerMs;
    freeMs[thread] = doneMs;
    lastMs = Math.max(lastMs, doneMs);
  }
  const seconds = lastMs / 1000;
  const workMs = traces * (cost.orchestratorMs + cost.workerMs) + workers * warmUpMs;
  return {
    seconds,
    coreHours: workMs / 3_600_000,
    dollars: (seconds / 3600) * cores * dollarsPerCoreHour,
    orchestrators: Math.ceil((cores * cost.orchestratorMs) / cost.workerMs),
  };
}
