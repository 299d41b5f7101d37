/** Serves one `Sources` call: says where the results of a script would come from, without loading or running anything. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { PackageFacts } from '../../lib/engine/index.ts';
import type { SourcesRequest, SourceTrace, TraceSources } from '../../lib/proto/messages.ts';
import type { TraceStat } from '../../lib/trace-store/index.ts';
import type { Tier } from '../counters.ts';
import { checkEngineNamed } from '../tasks/own-engine.ts';
import { type ScriptFacts, scriptFacts } from '../tasks/script.ts';
import { cacheKeys } from '../tasks/task-executor.ts';
import type { TaskExecutorParts } from '../tasks/task-request.ts';

type Parts = TaskExecutorParts & { packages: readonly PackageFacts[] };

const FIELDS = {
  ...{ result: 'remembered', loaded: 'loaded', snapshot: 'restored', parse: 'parsed' },
  barred: 'failed',
} as const satisfies Record<Tier | 'barred', keyof TraceSources>;

/** @throws no_sql, invalid_option if the script names another engine, and the errors of stores that do not respond */
export async function sourcesOf(
  parts: Parts,
  { sql, trace: traces, user }: SourcesRequest,
  signal: AbortSignal,
): Promise<TraceSources> {
  if (sql.length === 0) throw new BigtraceError('no_sql', 'the query has no SQL');
  checkEngineNamed(sql, parts);
  const script = scriptFacts(sql, parts.packages);
  const statOf = ({ address, generation, size }: SourceTrace): Promise<KnownStat> => {
    const trace = textFromBytes(address);
    if (generation !== '') return Promise.resolve({ generation, size });
    const permits = parts.admission.task({ user, query: signal }, 'rows', signal);
    return permits.lookup(trace, () => parts.stores.stat(trace, signal));
  };
  const sources: TraceSources = {
    ...{ remembered: 0, loaded: 0, restored: 0, parsed: 0, failed: 0, traceBytes: 0 },
    parsedBytes: 0,
  };
  const count = async (trace: SourceTrace): Promise<void> => {
    try {
      const stat = await statOf(trace);
      const tier = await tierOf(parts, textFromBytes(trace.address), script, stat);
      sources[FIELDS[tier]] += 1;
      if (tier === 'barred') return;
      sources.traceBytes += stat.size ?? 0;
      if (tier === 'parse') sources.parsedBytes += stat.size ?? 0;
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof BigtraceError) || thrown.retryable) throw thrown;
      sources.failed += 1;
    }
  };
  await Promise.all(traces.map(count));
  return sources;
}

type KnownStat = Pick<TraceStat, 'generation' | 'size'>;

async function tierOf(
  parts: Parts,
  trace: string,
  script: ScriptFacts,
  stat: KnownStat,
): Promise<keyof typeof FIELDS> {
  const { key, resultKey } = cacheKeys(parts, { trace, script }, stat);
  const { results, resultDisk, barred, pool, snapshots } = parts;
  if (script.deterministic && (results.has(resultKey) || (await resultDisk.has(resultKey))))
    return 'result';
  if (barred.has(key)) return 'barred';
  if (script.readsQueryHistory) return 'parse'; // it runs in an engine that has run nothing else
  if (pool.holds(key) || pool.isShared(key)) return 'loaded';
  return (await snapshots.isOnDisk(key)) ? 'snapshot' : 'parse';
}
