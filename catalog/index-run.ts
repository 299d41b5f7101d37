/**
 * One run of `bigtrace index`: lists the stores, reads new and changed traces, and marks vanished ones. Results are
 * written batch by batch, so the next run resumes a run that was killed. Memory use does not grow with the number of
 * traces.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { RunLock } from '../lib/clickhouse/run-lock/run-lock.ts';
import type { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { isPattern } from '../lib/common/addresses/address.ts';
import { canonicalAddress } from '../lib/common/addresses/canonical-address.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import { Glob } from '../lib/common/glob/glob.ts';
import { bytesFromText, printable } from '../lib/common/text/byte-text.ts';
import type { CatalogStore, IndexedTrace, ScriptDigests, TracesToRead } from './catalog-store.ts';
import type { ColumnType } from './columns/column-type.ts';
import { ExtraColumns } from './columns/extra-columns.ts';
import { addManifest } from './manifest/manifest-labels.ts';
import { extraOf, METADATA_SQL, metadataOf } from './metadata.ts';
import { readTraces, type TraceResult } from './read-traces.ts';

/** Traces of a batch are read together and then written. BATCHES_AT_A_TIME batches run concurrently. */
const BATCH_TRACES = 500;
const BATCHES_AT_A_TIME = 2;

export interface IndexPlan {
  /** Trace addresses and patterns. */
  addresses: string[];
  /** Script whose first row becomes columns of the trace. */
  extraSql?: string;
  /** Path of a CSV or JSON file. */
  manifest?: string;
  /** Types for columns of the manifest, wider than their values require. */
  columnTypes?: ReadonlyMap<string, ColumnType>;
}

export interface IndexProgress {
  phase: 'listing' | 'reading' | 'done';
  listed: number;
  toRead: number;
  read: number;
  failed: number;
  vanished: number;
  /** Of the listed traces: those without data (`empty`), and those with errors or lost data (`partial`). */
  empty: number;
  partial: number;
}

export interface IndexContext {
  client: OrchestratorClient;
  store: CatalogStore;
  /** Excludes other runs; undefined: they do not disturb this one. */
  lock?: Pick<RunLock, 'check'>;
  signal: AbortSignal;
  onProgress(progress: IndexProgress): void;
}

/** Runs the index. A trace that cannot be loaded becomes a row of the catalog, not an error. @throws BigtraceError */
export async function runIndex(
  requested: IndexPlan,
  context: IndexContext,
): Promise<IndexProgress> {
  const { store, onProgress } = context;
  const run = randomUUID();
  const progress: IndexProgress = {
    phase: 'listing',
    listed: 0,
    toRead: 0,
    read: 0,
    failed: 0,
    vanished: 0,
    empty: 0,
    partial: 0,
  };
  const plan = { ...requested, addresses: requested.addresses.map(canonicalName) };
  const scriptDigests = scriptDigestsOf(plan.extraSql);
  const startMs = await store.startMs();
  await store.columns.add([]); // recreates the view, which an earlier version may have created with fewer columns
  try {
    for (const address of plan.addresses)
      await store.addListing(run, listed(address, context, progress));
    if (plan.manifest !== undefined)
      await addManifest(store, run, {
        file: plan.manifest,
        directory: directoryOf(plan.addresses[0] ?? ''),
        columnTypes: plan.columnTypes ?? new Map(),
      });
    Object.assign(progress, await store.counts(run, scriptDigests), { phase: 'reading' });
    onProgress(progress);
    await readAll(store.toRead(run, scriptDigests), plan, scriptDigests, context, progress);
    progress.vanished = await markVanished({ run, startMs }, plan.addresses, context);
    Object.assign(progress, await store.verdicts(run));
    if (progress.listed === 0 && progress.vanished === 0)
      throw new BigtraceError('no_match', `no trace matches ${plan.addresses.join(', ')}`);
  } finally {
    await store.dropListing(run).catch(() => {}); // its rows are deleted a week later
  }
  progress.phase = 'done';
  onProgress(progress);
  return progress;
}

/** Digests of the scripts. Traces that were indexed with another script are read again. */
function scriptDigestsOf(extraSql?: string): ScriptDigests {
  const digest = (text: string): string =>
    createHash('sha256').update(text).digest('hex').slice(0, 16);
  return {
    metadata: digest(METADATA_SQL),
    extra: extraSql === undefined ? undefined : digest(extraSql),
  };
}

async function* listed(
  address: string,
  { client, signal, onProgress }: IndexContext,
  progress: IndexProgress,
) {
  const request = { pattern: [bytesFromText(address)], limit: 0 };
  try {
    for await (const batch of client.list(request, signal)) {
      progress.listed += batch.length;
      onProgress(progress);
      yield batch;
    }
  } catch (thrown) {
    // The trace, or all traces of the pattern, are gone. The catalog's rows for them are marked as vanished later.
    if (
      !(thrown instanceof BigtraceError) ||
      !['no_match', 'trace_not_found'].includes(thrown.code)
    )
      throw thrown;
  }
}

async function readAll(
  batches: AsyncIterable<TracesToRead[]>,
  plan: IndexPlan,
  scriptDigests: ScriptDigests,
  context: IndexContext,
  progress: IndexProgress,
): Promise<void> {
  const { store, onProgress } = context;
  const extra = new ExtraColumns(store.columns);
  const running = new Set<Promise<void>>();
  let failure: unknown;
  const read = async (batch: TracesToRead[]): Promise<void> => {
    const traces = await readBatch(batch, plan.extraSql, extra, context);
    await context.lock?.check();
    await store.add(traces, scriptDigests);
    progress.read += traces.length;
    progress.failed += traces.filter(({ outcome }) => outcome instanceof BigtraceError).length;
    onProgress(progress);
  };
  for await (const batch of rebatched(batches, BATCH_TRACES)) {
    if (failure !== undefined) break;
    const work = read(batch)
      .catch((thrown: unknown) => {
        failure ??= thrown;
      })
      .finally(() => running.delete(work));
    running.add(work);
    if (running.size >= BATCHES_AT_A_TIME) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

async function* rebatched<T>(batches: AsyncIterable<T[]>, size: number): AsyncGenerator<T[]> {
  let rest: T[] = [];
  for await (const batch of batches) {
    rest = rest.concat(batch);
    for (; rest.length >= size; rest = rest.slice(size)) yield rest.slice(0, size);
  }
  if (rest.length > 0) yield rest;
}

async function readBatch(
  batch: readonly TracesToRead[],
  extraSql: string | undefined,
  columns: ExtraColumns,
  { client, signal }: IndexContext,
): Promise<IndexedTrace[]> {
  const addresses = batch.map(({ address }) => address);
  const metadata = await readTraces(client, METADATA_SQL, addresses, { signal });
  const loaded = addresses.filter((address) => !(metadata.get(address) instanceof BigtraceError));
  const extra =
    extraSql === undefined || loaded.length === 0
      ? undefined
      : await readTraces(client, extraSql, loaded, { rowsMax: 1, signal });
  const traces: IndexedTrace[] = [];
  for (const trace of batch) {
    const result = resultOf(metadata, trace.address);
    const extraResult = extra?.get(trace.address);
    const failure = [result, extraResult].find((one) => one instanceof BigtraceError);
    if (result instanceof BigtraceError || extraResult instanceof BigtraceError) {
      // An error in the extra SQL would repeat on every trace, so it ends the run.
      if (extraResult === failure && failure?.code === 'sql_failed')
        throw failure.ofTrace(printable(trace.address));
      traces.push({ ...trace, outcome: failure as BigtraceError, extra: undefined });
      continue;
    }
    const row = extraResult?.rows[0] ?? [];
    if (extraResult !== undefined) columns.see(extraResult.columns, row);
    traces.push({
      ...trace,
      outcome: metadataOf(result.rows),
      extra: extraResult === undefined ? undefined : extraOf(extraResult.columns, row),
    });
  }
  await columns.write();
  return traces;
}

function resultOf(results: ReadonlyMap<string, TraceResult>, address: string): TraceResult {
  return (
    results.get(address) ??
    new BigtraceError('internal', 'the query returned no result for this trace')
  );
}

/**
 * Returns the address as listings report it, which the search for vanished traces needs.
 * @throws invalid_address if only the store could resolve it
 */
function canonicalName(text: string): string {
  const { address, needsStore } = canonicalAddress(text, []);
  if (!needsStore || !text.startsWith('/local/')) return address;
  throw new BigtraceError(
    'invalid_address',
    'the catalog names traces by their paths below the --traces directory; use such an address, without .., such as /local/**',
    { trace: printable(text) },
  );
}

/**
 * Returns an address ending in `/`: the directory of a trace, or of a pattern's part before its first glob character.
 */
function directoryOf(pattern: string): string {
  const literal = isPattern(pattern) ? Glob.parse(pattern).literalPrefix : pattern;
  return literal.slice(0, literal.lastIndexOf('/') + 1);
}

async function markVanished(
  { run, startMs }: { run: string; startMs: number },
  addresses: readonly string[],
  { store, lock }: IndexContext,
): Promise<number> {
  let vanished = 0;
  for (const address of addresses) {
    const glob = isPattern(address) ? Glob.parse(address) : undefined;
    const prefix = glob?.literalPrefix ?? address;
    const matches = (one: string): boolean => one === address || glob?.matches(one) === true;
    for await (const batch of store.unlisted(run, prefix, startMs)) {
      const gone = batch.filter(matches);
      for (let at = 0; at < gone.length; at += BATCH_TRACES) {
        await lock?.check();
        await store.markVanished(gone.slice(at, at + BATCH_TRACES));
      }
      vanished += gone.length;
    }
  }
  return vanished;
}
