/**
 * One run of `bigtrace index`: list the stores, read the traces that are new or changed, mark those that
 * vanished. What a run has read is in the catalog batch by batch, so a run that was killed is resumed by
 * the next; nothing is held that grows with the number of traces.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { OrchestratorClient } from '../client/orchestrator-client.ts';
import { isPattern, parseAddress } from '../common/address.ts';
import { bytesFromText, printable } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import { Glob } from '../trace-store/glob.ts';
import type { CatalogStore, IndexedTrace, ToRead } from './catalog-store.ts';
import { columnsOf, labelsOf } from './manifest.ts';
import { extraOf, METADATA_SQL, metadataOf } from './metadata.ts';
import { type Answer, readTraces } from './read-traces.ts';
import { checkColumnName, type UserColumn } from './traces-view.ts';

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
}

export interface IndexProgress {
  phase: 'listing' | 'reading' | 'done';
  listed: number;
  toRead: number;
  read: number;
  failed: number;
  vanished: number;
}

export interface IndexContext {
  client: OrchestratorClient;
  store: CatalogStore;
  signal: AbortSignal;
  onProgress(progress: IndexProgress): void;
}

/** @throws BigtraceError; traces that do not load are rows of the catalog, no errors */
export async function runIndex(plan: IndexPlan, context: IndexContext): Promise<IndexProgress> {
  const { store, onProgress } = context;
  const run = randomUUID();
  const progress: IndexProgress = {
    phase: 'listing',
    listed: 0,
    toRead: 0,
    read: 0,
    failed: 0,
    vanished: 0,
  };
  for (const address of plan.addresses) parseAddress(address);
  if (plan.manifest !== undefined) {
    const columns = await columnsOf(plan.manifest);
    await store.addLabels(labelsOf(plan.manifest, directoryOf(plan.addresses[0] ?? '')));
    await store.addColumns(columns);
  }
  try {
    for (const address of plan.addresses)
      await store.addListing(run, listed(address, context, progress));
    const question = fingerprint(plan.extraSql);
    Object.assign(progress, await store.counts(run, question), { phase: 'reading' });
    onProgress(progress);
    await readAll(store.toRead(run, question), plan, question, context, progress);
    progress.vanished = await markVanished(run, plan.addresses, context);
    if (progress.listed === 0 && progress.vanished === 0)
      throw new BigtraceError('no_match', `nothing matches ${plan.addresses.join(', ')}`);
  } finally {
    await store.dropListing(run);
  }
  progress.phase = 'done';
  onProgress(progress);
  return progress;
}

/**
 * What is asked of a trace: another question needs another reading. Without extra SQL it is the beginning
 * of the one with, so that a run without leaves the columns of the run before in place.
 */
function fingerprint(extraSql?: string): string {
  const texts = [METADATA_SQL, ...(extraSql === undefined ? [] : [extraSql])];
  return texts
    .map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16))
    .join('+');
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
  batches: AsyncIterable<ToRead[]>,
  plan: IndexPlan,
  question: string,
  context: IndexContext,
  progress: IndexProgress,
): Promise<void> {
  const { store, onProgress } = context;
  const extra = new ExtraColumns(store);
  const running = new Set<Promise<void>>();
  let failure: unknown;
  const read = async (batch: ToRead[]): Promise<void> => {
    const traces = await readBatch(batch, plan.extraSql, extra, context);
    await store.add(traces, question);
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
  batch: readonly ToRead[],
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
    if (answer instanceof BigtraceError)
      traces.push({ ...trace, outcome: answer, extra: new Map() });
    else if (more === undefined)
      traces.push({ ...trace, outcome: metadataOf(answer.rows), extra: new Map() });
    else if (more instanceof BigtraceError) {
      if (more.code === 'sql_failed') throw more.ofTrace(printable(trace.address)); // of no use to go on
      traces.push({ ...trace, outcome: more, extra: new Map() });
    } else {
      const row = more.rows[0] ?? [];
      await columns.see(more.columns, row);
      const outcome = metadataOf(answer.rows);
      traces.push({ ...trace, outcome, extra: extraOf(more.columns, row) });
    }
  }
  return traces;
}

function required(answers: ReadonlyMap<string, Answer>, address: string): Answer {
  return answers.get(address) ?? new BigtraceError('internal', 'trace was not answered');
}

/** Columns of the extra SQL, added to bigtrace.traces as they are first seen with a value. */
class ExtraColumns {
  readonly #store: CatalogStore;
  readonly #types = new Map<string, UserColumn['type']>();

  constructor(store: CatalogStore) {
    this.#store = store;
  }

  async see(names: readonly string[], row: readonly unknown[]): Promise<void> {
    const changed: UserColumn[] = [];
    for (const [at, name] of names.entries()) {
      const value = row[at] ?? null;
      if (value === null) continue;
      const type = wider(this.#types.get(name), value);
      if (type === this.#types.get(name)) continue;
      this.#types.set(checkColumnName(name), type);
      changed.push({ name, type, source: 'extra' });
    }
    if (changed.length > 0) await this.#store.addColumns(changed);
  }
}

function wider(type: UserColumn['type'] | undefined, value: unknown): UserColumn['type'] {
  if (typeof value === 'bigint') return type ?? 'Int64';
  if (typeof value === 'number') return type === 'String' ? 'String' : 'Float64';
  return 'String';
}

/** An address that ends in `/`: the part of a pattern before its first glob character. */
function directoryOf(pattern: string): string {
  const literal = isPattern(pattern) ? Glob.parse(pattern).literalPrefix : pattern;
  return literal.slice(0, literal.lastIndexOf('/') + 1);
}

async function markVanished(
  run: string,
  addresses: readonly string[],
  { store }: IndexContext,
): Promise<number> {
  let vanished = 0;
  for (const address of addresses) {
    const glob = isPattern(address) ? Glob.parse(address) : undefined;
    const prefix = glob?.literalPrefix ?? address;
    const matches = (one: string): boolean => one === address || glob?.matches(one) === true;
    for await (const batch of store.unlisted(run, prefix)) {
      const gone = batch.filter(matches);
      for (let at = 0; at < gone.length; at += BATCH_TRACES)
        await store.markVanished(gone.slice(at, at + BATCH_TRACES));
      vanished += gone.length;
    }
  }
  return vanished;
}
