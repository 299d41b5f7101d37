/** Test helpers: starts a real worker on a free port, with a client for both of its services. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import { ROOT } from '../../lib/common/root.ts';
import { threadBundle } from '../../lib/common/testing/thread-bundle.ts';
import { engineFilesIn } from '../../lib/engine/engine-choice.ts';
import { type Engine, loadEngine } from '../../lib/engine/index.ts';
import type {
  BigtraceQueryTraceResponse,
  BigtraceWorkerClient,
  LimitsInput,
  ListResponse,
  RunEvent,
  RunMode,
  RunRequestInput,
  RunResponse,
  SourceTraceInput,
  Task,
  TraceSources,
  UnbarResponse,
  WorkerClient,
  WorkerStatus,
} from '../../lib/proto/messages.ts';
import { BigtraceWorker, GRPC_OPTIONS, PerfettoWorker } from '../../lib/proto/services.ts';
import { type CellValue, rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { RUNTIME_UNDER_TEST } from '../../test/harness/engine-runtime.ts';
import { LIMIT_DEFAULTS, type WorkerConfig } from '../config.ts';
import { LOAD_BOUND_DEFAULT } from '../engines/load-watch.ts';
import { type RunningWorker, startWorker } from '../start.ts';

/** The bundles of the threads, built from the current source once per process. */
const ENGINE_THREAD = threadBundle(join(import.meta.dirname, '../engines/thread.ts'));
const FILE_THREAD = threadBundle(
  join(import.meta.dirname, '../../lib/trace-store/local/file-thread.ts'),
);

/**
 * The engines of sharing workers, by file and runtime: otherwise each would compile, prepare and optimize its own, which takes
 * longer than most tests.
 */
const ENGINES = new Map<string, Promise<Engine>>();

const sharedEngine: typeof loadEngine = (path, packages = [], choice = RUNTIME_UNDER_TEST) => {
  if (packages.length > 0) return loadEngine(path, packages, choice);
  const key = [path, choice.runtime, choice.addons].join(' ');
  const engine = ENGINES.get(key) ?? loadEngine(path, packages, choice);
  ENGINES.set(key, engine);
  return engine;
};

export async function testConfig(overrides: Partial<WorkerConfig> = {}): Promise<WorkerConfig> {
  return {
    listen: '127.0.0.1:0',
    serverSecurity: PLAINTEXT_SERVER,
    stores: { localRoot: CORPUS },
    threads: 2,
    spareThreads: 2,
    longTaskMs: 2000,
    loadBound: LOAD_BOUND_DEFAULT,
    memoryBytesMax: 2 * 2 ** 30,
    resultMemoryBytesMax: 64 * 2 ** 20,
    cacheDir: undefined,
    readCacheDirs: [],
    cacheBytesMax: 2 ** 30,
    uncompressedBytesMax: 0,
    sharedSnapshots: undefined,
    resultCacheDir: undefined,
    readResultCacheDirs: [],
    resultCacheBytesMax: 2 ** 30,
    limits: LIMIT_DEFAULTS,
    engine: engineFilesIn(join(ROOT, 'vendor/trace-processor')),
    runtime: RUNTIME_UNDER_TEST,
    sqlPackages: [],
    kubernetesPod: undefined,
    threadEntry: await ENGINE_THREAD,
    fileThreadEntry: await FILE_THREAD,
    drainMs: 10_000,
    logLevel: 'silent',
    json: false,
    ...overrides,
  };
}

export interface TestWorker extends AsyncDisposable {
  worker: RunningWorker;
  client: TestClient;
}

/** Starts a worker with the engine that the other such workers of this process have. */
export function sharingWorker(overrides: Partial<WorkerConfig> = {}): Promise<TestWorker> {
  return testWorker(overrides, sharedEngine);
}

/** @param load loads the engine */
export async function testWorker(
  overrides: Partial<WorkerConfig> = {},
  load = loadEngine,
): Promise<TestWorker> {
  const worker = await startWorker(await testConfig(overrides), undefined, load);
  const client = new TestClient(worker.address);
  return {
    worker,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await worker.stop();
    },
  };
}

/** Queries one trace; returns its first value, and the tier or the failure's code. */
export async function runScript(
  worker: TestWorker,
  trace: string,
  sql: string,
  user = '',
): Promise<[unknown, string]> {
  const end = await worker.client.runScript(trace, sql, user);
  const tier = end?.end.rows?.stats?.tier ?? end?.end.failure?.code ?? 'none';
  return [rowsOf(end?.results ?? [])[0]?.[0], tier];
}

/** Polls until `holds` is true. @throws Error after 20 s */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error('it did not come to be in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function counter(worker: TestWorker, name: string): Promise<number> {
  return (await worker.client.status()).counters[name] ?? Number.NaN;
}

export async function gauge(worker: TestWorker, name: string): Promise<number> {
  return (await worker.client.status()).gauges[name] ?? Number.NaN;
}

export async function tempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'bigtrace-worker-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export class TestClient {
  readonly #perfetto: BigtraceWorkerClient;
  readonly #bigtrace: WorkerClient;

  constructor(address: string) {
    const credentials = grpc.credentials.createInsecure();
    this.#perfetto = new PerfettoWorker(address, credentials, GRPC_OPTIONS);
    this.#bigtrace = new BigtraceWorker(address, credentials, GRPC_OPTIONS);
  }

  close(): void {
    this.#perfetto.close();
    this.#bigtrace.close();
  }

  queryTrace(trace: string | Buffer, sql: string): Promise<BigtraceQueryTraceResponse> {
    const request = { trace: Buffer.from(trace), sqlQuery: Buffer.from(sql) };
    return unary((done) => this.#perfetto.QueryTrace(request, done));
  }

  async rows(trace: string, sql: string): Promise<CellValue[][]> {
    return rowsOf((await this.queryTrace(trace, sql)).result);
  }

  /** Runs a query over one trace. */
  async runScript(trace: string, sql: string, user = ''): Promise<TaskEnd | undefined> {
    const run = this.run({ sql, user });
    const [end] = await run.endsOf(run.add(trace));
    run.call.end();
    await run.over;
    return end;
  }

  status(): Promise<WorkerStatus> {
    return unary((done) => this.#bigtrace.Status({}, done));
  }

  /** Counts traces by the source of the script's results. */
  sources(sql: string, ...traces: SourceTraceInput[]): Promise<TraceSources> {
    const request = { sql: Buffer.from(sql), trace: traces, user: '' };
    return unary((done) => this.#bigtrace.Sources(request, done));
  }

  /** Lifts bars; returns their number. */
  async unbar(traces: Buffer[] | 'all'): Promise<number> {
    const request = traces === 'all' ? { trace: [], all: true } : { trace: traces, all: false };
    return (await unary<UnbarResponse>((done) => this.#bigtrace.Unbar(request, done))).lifted;
  }

  list(pattern: string[], limit = 0): grpc.ClientReadableStream<ListResponse> {
    return this.#bigtrace.List({ pattern: pattern.map((one) => Buffer.from(one)), limit });
  }

  run(start: TestStart): TestRun {
    return new TestRun(this.#bigtrace.Run(), start);
  }
}

function unary<T>(call: (done: grpc.requestCallback<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error);
    });
  });
}

/** The results of a task, and the event that ended it. */
export interface TaskEnd {
  id: number;
  results: Buffer[];
  end: RunEvent;
}

interface TestStart {
  sql: string;
  mode?: RunMode;
  limits?: LimitsInput;
  /** Credits that the client assumes at the start. */
  credits?: number;
  user?: string;
  /** WorkerStatus.engine that the query needs. */
  engine?: string;
}

/** A `Run` stream that assigns traces as credits arrive, and collects the events. */
export class TestRun {
  readonly call: grpc.ClientDuplexStream<RunRequestInput, RunResponse>;
  readonly ends = new Map<number, TaskEnd>();
  readonly events: RunEvent[] = [];
  /** Resolves with the stream's status when it has ended. */
  readonly over: Promise<grpc.StatusObject>;
  credits = 0;
  creditsEver = 0;
  readonly #queue: Task[] = [];
  readonly #results = new Map<number, Buffer[]>();
  #watchers: (() => void)[] = [];
  #nextId = 1;
  ended = false;

  constructor(
    call: grpc.ClientDuplexStream<RunRequestInput, RunResponse>,
    { sql, mode = 'ROWS', limits, credits = 0, user = '', engine = '' }: TestStart,
  ) {
    this.call = call;
    this.over = new Promise((resolve) => call.on('status', resolve));
    call.on('error', () => {}); // `over` reports it
    call.on('end', () => {
      this.ended = true;
      this.#changed();
    });
    call.on('data', (message: RunResponse) => {
      for (const event of message.event) this.#on(event);
      this.#assign();
      this.#changed();
    });
    const query = { queryId: 'test', sql: Buffer.from(sql), mode, limits: limits ?? null };
    call.write({ start: { ...query, credits, user, engine } });
  }

  /** Assigns traces as credits allow; returns their task IDs. */
  add(...traces: (string | Buffer)[]): number[] {
    return traces.map((trace) => this.addListed(trace, ''));
  }

  /** Assigns a trace with which another worker was lost; returns its task ID. */
  addAlone(trace: string): number {
    const id = this.#nextId++;
    this.#queue.push({ id, trace: Buffer.from(trace), generation: '', alone: true });
    this.#assign();
    return id;
  }

  /** Assigns a trace with the generation from a listing; returns its task ID. */
  addListed(trace: string | Buffer, generation: string): number {
    const id = this.#nextId++;
    this.#queue.push({ id, trace: Buffer.from(trace), generation, alone: false });
    this.#assign();
    return id;
  }

  /** Resolves when all these tasks have ended, in the order of `ids`; the stream stays open. */
  async endsOf(ids: number[]): Promise<TaskEnd[]> {
    await this.until(() => ids.every((id) => this.ends.has(id)));
    return ids.flatMap((id) => this.ends.get(id) ?? []);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.ended) throw new Error('the stream ended before');
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  withdraw(ids: number[]): void {
    this.call.write({ withdraw: { id: ids } });
  }

  #assign(): void {
    const task = this.#queue.splice(0, this.credits);
    this.credits -= task.length;
    if (task.length > 0) this.call.write({ assign: { task } });
  }

  #changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  #on(event: RunEvent): void {
    this.events.push(event);
    if (event.credits) {
      this.credits += event.credits;
      this.creditsEver += event.credits;
    }
    const { rows, types, failure } = event;
    const results = (id: number): Buffer[] => this.#results.get(id) ?? [];
    if (rows) this.#results.set(rows.id, [...results(rows.id), rows.result]);
    const id = rows?.last ? rows.id : (types?.id ?? failure?.id);
    if (id !== undefined) this.ends.set(id, { id, results: results(id), end: event });
    for (const back of event.returned?.id ?? [])
      this.ends.set(back, { id: back, results: [], end: event });
  }
}
