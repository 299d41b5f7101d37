/** Runs a task's script on the engine that holds its trace, and caches a deterministic result. */
import type { Lease, LoadedFrom } from '../../engines/engine-pool.ts';
import { checkResult } from '../limits.ts';
import type { CacheKeys, TaskExecutorParts, TaskRequest, TaskResult } from '../task-request.ts';

export interface ScriptRun {
  request: TaskRequest;
  keys: CacheKeys;
  lease: Lease;
  /** Where the trace that the engine holds comes from. */
  loaded: LoadedFrom;
  /** Called before each result is passed on. */
  onPassed: () => void;
  signal: AbortSignal;
}

/** @throws BigtraceError; the signal's reason */
export async function runScript(
  { results, resultDisk, counters }: TaskExecutorParts,
  { request, keys, lease, loaded, onPassed, signal }: ScriptRun,
): Promise<TaskResult> {
  const { script, limits, wantsKinds, onResult, onPhase } = request;
  const { key, resultKey, traceBytes } = keys;
  const { sql, isSummary, mutatesState } = script;
  const recorder = results.recorder();
  let resultBytes = 0;
  onPhase('RUNNING_SQL');
  const { rows, columns, queryMs } = await lease.engine.query(
    {
      key,
      sql,
      isSummary,
      mutatesState,
      wantsKinds,
      memoryBytesMax: limits.memoryBytesMax,
      onResult: (result, rowsSoFar, last) => {
        resultBytes += result.byteLength;
        counters.add('result_bytes', result.byteLength);
        checkResult(rowsSoFar, resultBytes, limits);
        recorder.add(result);
        onPassed();
        return onResult(result, rowsSoFar, last);
      },
    },
    signal,
  );
  if (script.deterministic && recorder.results !== undefined) {
    const cached = { results: recorder.results, resultBytes, rows, columns, traceBytes };
    results.put(resultKey, cached);
    resultDisk.put(resultKey, cached);
  }
  return { columns, stats: { ...loaded, rows, queryMs } };
}
