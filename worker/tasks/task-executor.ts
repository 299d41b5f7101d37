/**
 * Runs one script on one trace, with the result from the cheapest source: the result cache, a loaded trace, a
 * snapshot, or parsing.
 */
import { asBigtraceError } from '../../lib/common/errors.ts';
import type { TraceStat } from '../../lib/trace-store/index.ts';
import type { CachedResult } from '../cache/result-memory.ts';
import type { TaskPermits } from '../scheduling/admission.ts';
import { columnsOf } from './columns.ts';
import { UncachedTask } from './engine-execution.ts';
import { checkResult, checkTraceBytes } from './limits.ts';
import type { CacheKeys, TaskExecutorParts, TaskRequest, TaskResult } from './task-request.ts';

/** Executes one task and counts its outcome. @throws BigtraceError with the trace; the signal's reason */
export async function executeTask(
  parts: TaskExecutorParts,
  request: TaskRequest,
  signal: AbortSignal,
): Promise<TaskResult> {
  const { counters } = parts;
  try {
    const result = await new TaskExecutor(parts, request, signal).run();
    const { tier, rows, loadMs, queryMs } = result.stats;
    counters.add('tasks_done');
    counters.add(`tier_${tier}`);
    counters.add('rows', rows);
    counters.add('query_ms', queryMs);
    if (tier === 'snapshot') counters.add('restore_ms', loadMs);
    return result;
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    counters.add('tasks_failed');
    throw asBigtraceError(thrown).ofTrace(request.trace);
  }
}

/** Returns the keys under which the caches have what concerns the trace and the script. */
export function cacheKeys(
  { engineIdentity }: Pick<TaskExecutorParts, 'engineIdentity'>,
  { trace, script }: Pick<TaskRequest, 'trace' | 'script'>,
  { generation, size: traceBytes }: Pick<TraceStat, 'generation' | 'size'>,
): CacheKeys {
  const key = `${trace}\0${generation}\0${engineIdentity}`;
  return { key, resultKey: `${key}\0${script.digest}`, traceBytes };
}

/** Serves a task from the result cache, or passes it on to UncachedTask. */
class TaskExecutor {
  readonly #parts: TaskExecutorParts;
  readonly #request: TaskRequest;
  readonly #signal: AbortSignal;

  constructor(parts: TaskExecutorParts, request: TaskRequest, signal: AbortSignal) {
    this.#parts = parts;
    this.#request = request;
    this.#signal = signal;
  }

  async run(): Promise<TaskResult> {
    const { script, limits, generation, turn, wantsKinds } = this.#request;
    if (generation !== '') {
      const cached = await this.#cachedResult(this.#keys({ generation, size: undefined }));
      if (cached !== undefined) return this.#sendCached(cached);
    }
    const threadClass = wantsKinds ? 'columns' : 'rows';
    const permits = this.#parts.admission.task(turn, threadClass, this.#signal);
    const stat = await this.#stat(permits);
    if (stat.size !== undefined) checkTraceBytes(stat.size, limits);
    const keys = this.#keys(stat);
    const cached = await this.#cachedResult(keys);
    if (cached !== undefined) return this.#sendCached(cached);
    if (script.deterministic) this.#parts.counters.add('result_misses');
    return new UncachedTask(this.#parts, this.#request, stat, keys, permits, this.#signal).run();
  }

  #keys(stat: Pick<TraceStat, 'generation' | 'size'>): CacheKeys {
    return cacheKeys(this.#parts, this.#request, stat);
  }

  /** Looks a result up in memory, then on disk. @throws the remembered error if the trace is barred */
  async #cachedResult({ key, resultKey }: CacheKeys): Promise<CachedResult | undefined> {
    const { results, resultDisk, barred, counters } = this.#parts;
    const { script, turn, outlet } = this.#request;
    if (script.deterministic) {
      const inMemory = results.get(resultKey);
      if (inMemory !== undefined) {
        counters.add('results_from_memory');
        resultDisk.used(resultKey);
        return inMemory;
      }
      if (outlet?.full === true) await outlet.room(this.#signal); // a slow client must not fill the memory
      const onDisk = await resultDisk.read(resultKey, turn, this.#signal);
      if (onDisk !== undefined) {
        counters.add('results_from_disk');
        results.put(resultKey, onDisk);
        return onDisk;
      }
    }
    barred.check(key);
    return undefined;
  }

  /** Requests the trace's size and generation from its store. */
  #stat(permits: TaskPermits): Promise<TraceStat> {
    const { trace } = this.#request;
    return permits.lookup(trace, () => this.#parts.stores.stat(trace, this.#signal));
  }

  /** Sends a cached result, within the limits of this task. */
  async #sendCached(cached: CachedResult): Promise<TaskResult> {
    const { results, resultBytes, rows, traceBytes } = cached;
    const { limits, wantsKinds, onBegin, onResult, outlet } = this.#request;
    if (traceBytes !== undefined) checkTraceBytes(traceBytes, limits);
    checkResult(rows, resultBytes, limits);
    while (outlet?.full === true) await outlet.room(this.#signal);
    onBegin(0);
    this.#parts.counters.add('result_bytes', resultBytes);
    for (const [index, result] of results.entries()) {
      await onResult(result, rows, index === results.length - 1);
      this.#signal.throwIfAborted();
    }
    if (wantsKinds) cached.columns ??= await columnsOf(results);
    const { columns } = cached;
    return { columns, stats: { rows, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'result' } };
  }
}
