/**
 * One run of `bigtrace index`: list the stores, read the traces that are new or changed, mark those that
 * vanished. What a run has read is in the catalog batch by batch, so a run that was killed is resumed by
 * the next; nothing is held that grows with the number of traces.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { isPattern } from '../lib/common/addresses/address.ts';
import { canonicalAddress } from '../lib/common/addresses/canonical-address.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import { Glob } from '../lib/common/glob/glob.ts';
import { bytesFromText, printable } from '../lib/common/text/byte-text.ts';
import type { CatalogQueries, CatalogStore, IndexedTrace, TracesToRead } from './catalog-store.ts';
import type { ColumnType } from './columns/column-type.ts';
import { ExtraColumns } from './columns/extra-columns.ts';
import { addManifest } from './manifest/manifest-labels.ts';
import { extraOf, METADATA_SQL, metadataOf } from './metadata.ts';
import { readTraces, type TraceResult } from './read-traces.ts';

/** Traces of one batch are read at once and then written; two batches run at a time. */
const BATCH_TRACES = 500;
const BATCHES_AT_A_TIME = 2;

export interface IndexPlan {
  /** Addresses and patterns. */
  addresses: string[];
  /** Its first row becomes columns. */
  extraSql?: string;
  /** A CSV or JSON file on this machine. */
  manifest?: string;
  /** Types that the manifest's columns are to have, whatever their values look like. */
  columnTypes?: ReadonlyMap<string, ColumnType>;
}

export interface IndexProgress {
  phase: 'listing' | 'reading' | 'done';
  listed: number;
  toRead: number;
  read: number;
  failed: number;
  vanished: number;
  /** Of all that were listed: traces without data, and traces of which the engine counted errors or lost data. */
  empty: number;
  partial: number;
}

export interface IndexContext {
  client: OrchestratorClient;
  store: CatalogStore;
  signal: AbortSignal;
  onProgress(progress: IndexProgress): void;
}

/** @throws BigtraceError; traces that do not load are rows of the catalog, no errors */
export async function runIndex(given: IndexPlan, context: IndexContext): Promise<IndexProgress> {
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
  const plan = { ...given, addresses: given.addresses.map(canonicalName) };
  const questions = questionsOf(plan.extraSql);
  const startMs = await store.startMs();
  await store.columns.add([]); // an earlier version's view has not all columns
  try {
    for (const address of plan.addresses)
      await store.addListing(run, listed(address, context, progress));
    if (plan.manifest !== undefined)
      await addManifest(store, run, {
        file: plan.manifest,
        directory: directoryOf(plan.addresses[0] ?? ''),
        columnTypes: plan.columnTypes ?? new Map(),
      });
    Object.assign(progress, await store.counts(run, questions), { phase: 'reading' });
    onProgress(progress);
    await readAll(store.toRead(run, questions), plan, questions, context, progress);
    progress.vanished = await markVanished({ run, startMs }, plan.addresses, context);
    Object.assign(progress, await store.verdicts(run));
    if (progress.listed === 0 && progress.vanished === 0)
      throw new BigtraceError('no_match', `nothing matches ${plan.addresses.join(', ')}`);
  } finally {
    await store.dropListing(run);
  }
  progress.phase = 'done';
  onProgress(progress);
  return progress;
}

/** Another script is another question, and reads a trace again. */
function questionsOf(extraSql?: string): CatalogQueries {
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
    // A trace that is gone, or a pattern that matches nothing any more: what was known of it vanished.
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
  questions: CatalogQueries,
  context: IndexContext,
  progress: IndexProgress,
): Promise<void> {
  const { store, onProgress } = context;
  const extra = new ExtraColumns(store.columns);
  const running = new Set<Promise<void>>();
  let failure: unknown;
  const read = async (batch: TracesToRead[]): Promise<void> => {
    const traces = await readBatch(batch, plan.extraSql, extra, context);
    await store.add(traces, questions);
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
    const answer = required(metadata, trace.address);
    const more = extra?.get(trace.address);
    const failure = [answer, more].find((one) => one instanceof BigtraceError);
    if (answer instanceof BigtraceError || more instanceof BigtraceError) {
      // A script that the engine refuses will fail on every trace: going on is of no use.
      if (more === failure && failure?.code === 'sql_failed')
        throw failure.ofTrace(printable(trace.address));
      traces.push({ ...trace, outcome: failure as BigtraceError, extra: undefined });
      continue;
    }
    const row = more?.rows[0] ?? [];
    if (more !== undefined) columns.see(more.columns, row);
    traces.push({
      ...trace,
      outcome: metadataOf(answer.rows),
      extra: more === undefined ? undefined : extraOf(more.columns, row),
    });
  }
  await columns.write();
  return traces;
}

function required(answers: ReadonlyMap<string, TraceResult>, address: string): TraceResult {
  return answers.get(address) ?? new BigtraceError('internal', 'trace was not answered');
}

/** As listings have it: what vanished is found by it. @throws invalid_address for what only the store can tell */
function canonicalName(text: string): string {
  const { address, needsStore } = canonicalAddress(text, []);
  if (!needsStore || !text.startsWith('/local/')) return address;
  throw new BigtraceError(
    'invalid_address',
    'the catalog has traces by their paths below the directory of --traces: name them so, without .., such as /local/**',
    { trace: printable(text) },
  );
}

/** An address that ends in `/`: the part of a pattern before its first glob character. */
function directoryOf(pattern: string): string {
  const literal = isPattern(pattern) ? Glob.parse(pattern).literalPrefix : pattern;
  return literal.slice(0, literal.lastIndexOf('/') + 1);
}

async function markVanished(
  { run, startMs }: { run: string; startMs: number },
  addresses: readonly string[],
  { store }: IndexContext,
): Promise<number> {
  let vanished = 0;
  for (const address of addresses) {
    const glob = isPattern(address) ? Glob.parse(address) : undefined;
    const prefix = glob?.literalPrefix ?? address;
    const matches = (one: string): boolean => one === address || glob?.matches(one) === true;
    for await (const batch of store.unlisted(run, prefix, startMs)) {
      const gone = batch.filter(matches);
      for (let at = 0; at < gone.length; at += BATCH_TRACES)
        await store.markVanished(gone.slice(at, at + BATCH_TRACES));
      vanished += gone.length;
    }
  }
  return vanished;
}
