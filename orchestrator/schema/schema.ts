/** Finds the columns of a query by running it on a few of its traces, and remembers them while the query starts. */
import { hash } from 'node:crypto';
import { addressesDigest } from '../../lib/common/addresses/addresses-digest.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { FailureReasons, type SampledOf } from '../../lib/common/failure-reasons.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { checkNameLength } from '../../lib/common/text/text-bounds.ts';
import type {
  Column,
  LearnRequest,
  SchemaRequest,
  SchemaResponse,
} from '../../lib/proto/messages.ts';
import { listTraces } from '../fleet/list-traces.ts';
import { checkSql, completeLimits, type TimeLimits } from '../grpc/limits.ts';
import { catalogOf, execute, type QueryContext, recordFailure } from '../query/execute.ts';
import { type NamedAddress, namedAddress } from '../query/named-address.ts';
import type { QuerySpec, Sink } from '../query/query-spec.ts';
import { noMatch } from '../query/trace-source.ts';
import { LearnedKinds } from './learned-kinds.ts';
import { ColumnMerge } from './schema-merge.ts';
import type { ColumnFindingQueue } from './schema-queue.ts';
import { spreadOrder } from './spread.ts';

/** Number of traces sampled after the first round and after all rounds; each round doubles the total. */
const SAMPLE_TRACES = 4;
const SAMPLE_TRACES_MAX = 128;
/** Maximum number of patterns that are listed, and of traces of each that may be sampled. */
const PATTERNS_MAX = 16;
const LISTED_TRACES_MAX = 128;
/** As LISTED_TRACES_MAX, to count the traces of a query of which all sampled ones failed. */
const COUNTED_TRACES_MAX = 100_000;

const RECENT_MAX = 256;
const RECENT_MS = 60_000;

interface Shared {
  queryId: string;
  /** Whether the query of this id has ended; a later query of the same id is another query. */
  ended: boolean;
  response: Promise<SchemaResponse>;
  control: AbortController;
  waiting: number;
}

export class SchemaService {
  readonly #context: QueryContext;
  readonly #limits: TimeLimits;
  readonly #queue: ColumnFindingQueue;
  readonly #recent = new Map<string, Shared>();
  readonly #learned = new LearnedKinds();

  constructor(context: QueryContext, limits: TimeLimits, queue: ColumnFindingQueue) {
    this.#context = context;
    this.#limits = limits;
    this.#queue = queue;
  }

  /** Returns the columns; repeated and concurrent requests of one query share one result. */
  async find(request: SchemaRequest, signal: AbortSignal): Promise<SchemaResponse> {
    const key = request.queryId === '' ? undefined : keyOf(request);
    const recent = key === undefined ? undefined : this.#recent.get(key);
    const reusable = recent?.ended === true && request.again !== true ? undefined : recent;
    const shared = reusable ?? this.#begin(request, key);
    shared.waiting += 1;
    try {
      return await untilAborted(shared.response, signal);
    } finally {
      shared.waiting -= 1;
      if (signal.aborted && shared.waiting === 0) shared.control.abort(signal.reason);
    }
  }

  /** Notes that a query has ended, after which its id may be reused. */
  ended(queryId: string): void {
    for (const shared of this.#recent.values()) if (shared.queryId === queryId) shared.ended = true;
  }

  /** Adds kinds that column finding missed. @throws invalid_option when the request is malformed */
  learn(request: LearnRequest): void {
    this.#learned.learn(request);
  }

  #begin(request: SchemaRequest, key: string | undefined): Shared {
    const control = new AbortController();
    const response = this.#inTurn(request, control.signal);
    const shared = { queryId: request.queryId, ended: false, response, control, waiting: 0 };
    if (key === undefined) return shared;
    this.#recent.set(key, shared);
    const forget = (): void => {
      if (this.#recent.get(key) === shared) this.#recent.delete(key);
    };
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size > RECENT_MAX) this.#recent.delete(oldest);
    }
    // An error is not remembered, since its cause may be gone at the next request.
    response.then(() => setTimeout(forget, RECENT_MS).unref(), forget);
    return shared;
  }

  async #inTurn(request: SchemaRequest, signal: AbortSignal): Promise<SchemaResponse> {
    this.#context.users.check(request.user);
    const leave = await this.#queue.enter(request.user, signal);
    try {
      return await findColumns(request, this.#context, this.#limits, this.#learned, signal);
    } finally {
      leave();
    }
  }
}

function keyOf({ queryId, sql, address, onFailure, user, limits }: SchemaRequest): string {
  const rest = JSON.stringify([queryId, onFailure, user, limits, sql.toString('latin1')]);
  return `${hash('sha256', rest, 'hex')}${addressesDigest(address).toString('hex')}`;
}

function untilAborted<T>(response: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    response.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function findColumns(
  request: SchemaRequest,
  context: QueryContext,
  timeLimits: TimeLimits,
  learned: LearnedKinds,
  signal: AbortSignal,
): Promise<SchemaResponse> {
  checkSql(request.sql);
  checkNameLength('the query ID', request.queryId);
  context.counters.add('schemas');
  const spec: QuerySpec = {
    queryId: request.queryId,
    user: request.user,
    sql: request.sql,
    limits: completeLimits(request.limits, timeLimits),
    mode: 'TYPES',
    lenient: request.onFailure === 'LENIENT',
    traceContext: undefined, // several clients may share the result
  };
  const failures = new FailureReasons();
  const listing = { ...request, context, signal, listedMax: LISTED_TRACES_MAX };
  const { pool } = await candidates(listing, spec.lenient ? failures : undefined);
  const refused = failures.count;
  const order = spreadOrder(pool.length, SAMPLE_TRACES_MAX);
  const merge = new ColumnMerge();
  const script = { ...request, tracesDigest: addressesDigest(request.address) };
  const isLearned = (column: number): boolean => learned.has(script, column);
  let sampled = 0;
  while (sampled < Math.min(pool.length, SAMPLE_TRACES_MAX) && !merge.certain(isLearned)) {
    const upTo = Math.min(Math.max(sampled * 2, SAMPLE_TRACES), SAMPLE_TRACES_MAX);
    const round = order.slice(sampled, upTo).flatMap((at) => pool[at] ?? []);
    sampled += round.length;
    await sample(round, { spec, context, merge, failures }, signal);
  }
  if (merge.columns !== undefined)
    return { column: learned.addTo(merge.columns, script), tracesSampled: sampled };
  if (failures.count > 0 && failures.count - refused === sampled) {
    const error = failures.allFailed(await sampledOf(sampled, refused, listing));
    recordFailure(request, context, error);
    throw error;
  }
  throw new BigtraceError(
    'sql_failed',
    `the script has no columns: its last statement returned none on the ${sampled} sampled traces; end the script with a SELECT`,
  );
}

interface Sampling {
  spec: QuerySpec;
  context: QueryContext;
  merge: ColumnMerge;
  /** Failures of traces in a lenient query. */
  failures: FailureReasons;
}

async function sample(
  round: Buffer[],
  { spec, context, merge, failures }: Sampling,
  signal: AbortSignal,
): Promise<void> {
  const mismatch = new AbortController();
  const sink: Sink = {
    rows: () => undefined,
    types: (trace: Buffer, columns: Column[]) => {
      try {
        merge.add(trace, columns);
      } catch (error) {
        mismatch.abort(error);
      }
    },
    failure: (_trace, error) => failures.add(error),
    flush: () => true,
    onDrain: () => undefined,
  };
  const ended = AbortSignal.any([signal, mismatch.signal]);
  try {
    await execute(spec, context, { addresses: exactly(round), sink, signal: ended });
  } catch (thrown) {
    if (asBigtraceError(thrown).code !== 'all_failed') throw thrown; // the traces of the next round may have columns
  }
  mismatch.signal.throwIfAborted();
}

async function* exactly(traces: Buffer[]): AsyncGenerator<Buffer[]> {
  yield traces;
}

interface Listing extends Pick<SchemaRequest, 'address' | 'user'> {
  context: QueryContext;
  signal: AbortSignal;
  /** Maximum number of traces of each pattern or catalog expression. */
  listedMax: number;
}

interface Candidates {
  pool: Buffer[];
  /** Whether the query has no traces but these. */
  complete: boolean;
}

/** Counts the traces of a query of which all sampled ones failed; undefined if it has no more than these. */
async function sampledOf(
  sampled: number,
  refused: number,
  listing: Listing,
): Promise<SampledOf | undefined> {
  const counted = { ...listing, listedMax: COUNTED_TRACES_MAX };
  const { pool, complete } = await candidates(counted, new FailureReasons());
  if (pool.length <= sampled) return undefined;
  return { traces: pool.length + refused, orMore: !complete };
}

/**
 * Returns the traces that may be sampled: all named ones, and the first of each pattern or catalog expression.
 * Addresses that stand for no trace are added to `failures`; without `failures` the first one is thrown.
 */
async function candidates(
  listing: Listing,
  failures: FailureReasons | undefined,
): Promise<Candidates> {
  const { address: addresses, context, signal, listedMax } = listing;
  if (addresses.length === 0) throw new BigtraceError('no_traces', 'the query names no traces');
  const pool = new Map<string, Buffer>();
  let complete = true;
  let patterns = 0;
  const roots = () => context.fleet.localRoots(context.workerWaitMs, signal);
  for (const address of addresses) {
    try {
      const named = await namedAddress(address, roots);
      const isListed = named.kind === 'listed';
      if (isListed && patterns++ >= PATTERNS_MAX) {
        complete = false;
        continue;
      }
      const before = pool.size;
      let found = 0;
      for await (const traces of tracesOf(named, listing)) {
        found += traces.length;
        for (const trace of traces) pool.set(textFromBytes(trace), trace);
      }
      if (found >= listedMax) complete = false;
      if (isListed && found === 0 && before === pool.size) throw noMatch(address);
    } catch (thrown) {
      const error = asBigtraceError(thrown);
      if (failures === undefined || error.kind !== 'user') throw error;
      failures.addAddress(error);
    }
  }
  return { pool: [...pool.values()], complete };
}

/** Yields the traces that an address stands for, no more than `listedMax`. */
async function* tracesOf(
  named: NamedAddress,
  { context, signal, user, listedMax }: Listing,
): AsyncGenerator<Buffer[]> {
  const { fleet, workerWaitMs } = context;
  if (named.kind === 'trace') yield [named.address];
  else if (named.kind === 'selection')
    yield* catalogOf(context).addressesWhere(named.path, { signal, user, sample: listedMax });
  else {
    const request = { pattern: [named.address], limit: listedMax };
    for await (const traces of listTraces(request, { fleet, workerWaitMs, signal }))
      yield traces.map(({ address }) => address);
  }
}
