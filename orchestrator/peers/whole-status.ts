/** Combines what several orchestrators know about their queries; pure. */
import type { OrchestratorStatus, RecordedFailure, WorkerState } from '../../lib/proto/messages.ts';

/** Gauges that every orchestrator reports about the same workers. */
const SHARED_GAUGES = new Set(['workers_ready', 'workers_known']);

/** Combines the status of all orchestrators. The version, and which of equal workers is named, are the first's. */
export function wholeStatus(
  all: readonly [OrchestratorStatus, ...OrchestratorStatus[]],
): OrchestratorStatus {
  const workers = new Map<string, WorkerState>();
  for (const worker of all.flatMap((one) => one.worker))
    if (workers.get(worker.address)?.state !== 'ready') workers.set(worker.address, worker);
  return {
    version: all[0].version,
    worker: [...workers.values()],
    queriesRunning: all.reduce((sum, { queriesRunning }) => sum + queriesRunning, 0),
    counters: combined(all.map(({ counters }) => counters)),
    gauges: combined(all.map(({ gauges }) => gauges)),
    query: all.flatMap(({ query }) => query),
  };
}

function combined(all: readonly Record<string, number>[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [name, value] of all.flatMap(Object.entries<number>)) {
    const before = result[name] ?? 0;
    result[name] = SHARED_GAUGES.has(name) ? Math.max(before, value) : before + value;
  }
  return result;
}

/**
 * Merges the failures of all orchestrators, each newest query first, in the same order. Those of one query keep their
 * order, and a query that several orchestrators know appears once for each.
 * @param limit 0: all
 */
export function wholeFailures(
  all: readonly (readonly RecordedFailure[])[],
  limit: number,
): RecordedFailure[] {
  const queries = all.flatMap(byQuery).sort((a, b) => timeOf(b) - timeOf(a));
  return queries.flat().slice(0, limit === 0 ? undefined : limit);
}

function byQuery(failures: readonly RecordedFailure[]): RecordedFailure[][] {
  const groups: RecordedFailure[][] = [];
  for (const failure of failures) {
    const group = groups.at(-1);
    if (group?.[0]?.queryId === failure.queryId) group.push(failure);
    else groups.push([failure]);
  }
  return groups;
}

function timeOf([first]: readonly RecordedFailure[]): number {
  return first?.timeMs ?? 0;
}
