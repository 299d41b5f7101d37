/** Lists the traces of a query that have run longest, with their phase. */
import type { RunningTrace } from '../../lib/proto/messages.ts';
import type { WorkerQueue } from '../dispatch/worker-queue.ts';
import type { QuerySpec } from './query-spec.ts';

const SHOWN_MAX = 10;

/** Returns up to SHOWN_MAX traces, longest-running first. Workers report only tasks that are older than a second. */
export function runningTraces(
  workerQueues: readonly WorkerQueue[],
  { queryId, user, mode }: QuerySpec,
  now = performance.now(),
): RunningTrace[] {
  const running: RunningTrace[] = [];
  for (const workerQueue of workerQueues) {
    for (const [id, { phase, since }] of workerQueue.states.all()) {
      const task = workerQueue.open.get(id);
      if (task === undefined) continue;
      const phaseMs = Math.max(Math.round(now - since), 0);
      const totalMs = Math.max(Math.round(now - task.assignedAt), phaseMs);
      const { trace } = task;
      const worker = workerQueue.address;
      running.push({ trace, phase, phaseMs, totalMs, queryId, user, worker, mode });
    }
  }
  return running.sort((a, b) => b.totalMs - a.totalMs).slice(0, SHOWN_MAX);
}
