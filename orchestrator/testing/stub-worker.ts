/** A worker for tests: it serves real gRPC, and a script determines its results. */
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import type {
  ColumnInput,
  ListRequest,
  ListResponse,
  RunEventInput,
  RunRequest,
  RunResponseInput,
  RunStart,
  SourcesRequest,
  TaskPhase,
  TaskStats,
  TraceSourcesInput,
  UnbarRequest,
  UnbarResponseInput,
  WorkerStatusInput,
} from '../../lib/proto/messages.ts';
import { BigtraceWorker, GRPC_OPTIONS } from '../../lib/proto/services.ts';

type Call = grpc.ServerDuplexStream<RunRequest, RunResponseInput>;

/** A task as a script sees it: the trace, and functions to respond. */
export interface StubTask {
  trace: string;
  start: RunStart;
  /** How often the trace was assigned to this worker in this query, this time included. */
  attempt: number;
  rows(result: string | Buffer, last: boolean, stats?: Partial<TaskStats>): void;
  /** Ends the task with columns: cell kinds seen, or those seen and those possible, by column name. */
  types(
    columns: Record<string, number | [seen: number, possible: number]>,
    stats?: Partial<TaskStats>,
  ): void;
  fail(code: string, message: string, neededBytes?: number): void;
  returned(): void;
  send(event: RunEventInput): void;
  /** Reports the phase of the task, as workers do once a second. */
  state(phase: TaskPhase): void;
  /** Resolves when the stream has been ended or cancelled by the orchestrator. */
  cancelled: Promise<void>;
}

export type Script = (task: StubTask) => void | Promise<void>;

const STATS: TaskStats = { rows: 1, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'loaded' };

export const returnRows: Script = ({ trace, start, rows, types }) =>
  start.mode === 'TYPES' ? types({ name: 4 }) : rows(`rows of ${trace}`, true);

export interface StubOptions {
  script?: Script;
  /** Number of tasks of one query that the worker accepts at the same time. */
  window?: number;
  threads?: number;
  port?: number;
  /** Number of tasks of one stream that run at the same time; the others can be withdrawn. */
  concurrency?: number;
  /** @returns undefined: the worker has begun the call and answers nothing */
  list?: (pattern: string) => string[] | undefined;
  /** Answers `Sources`; without it, the worker is one of an earlier version. */
  /** `left` is aborted when the client has left. @returns undefined: there is no answer */
  sources?: (request: SourcesRequest, left: AbortSignal) => TraceSourcesInput | undefined;
  cacheId?: string;
  localRoot?: string;
  instanceMemoryBytes?: number;
  /** Version of its engine, which is also the engine's name. */
  engine?: string;
  /** Credits that its status reports for the start of a stream; `window` more follow on the stream. */
  firstCredits?: number;
}

interface StubRun {
  call: Call;
  start: RunStart;
  cancelled: Promise<void>;
  /** Functions that end a running task without a result, by task id. */
  open: Map<number, () => void>;
  /** Starts waiting tasks, up to `concurrency`. */
  begin: () => void;
}

export class StubWorker {
  readonly #options: StubOptions;
  #server = new grpc.Server(GRPC_OPTIONS);
  readonly #calls = new Set<Call>();
  readonly #attempts = new Map<string, number>();
  /** Traces in the order in which their tasks began. */
  readonly seen: string[] = [];
  /** Generation in the last assignment of each trace. */
  readonly generations = new Map<string, string>();
  /** Traces that were assigned with `alone`. */
  readonly alone: string[] = [];
  /** Traces whose task was cancelled by the orchestrator. */
  readonly cancelledTraces: string[] = [];
  /** How each stream was ended by the orchestrator. */
  readonly ended: ('finished' | 'cancelled')[] = [];
  listed = 0;
  draining = false;
  /** Number of streams and listings that it refuses. */
  refusals = 0;
  #frozen = false;
  address = '';
  script: Script;

  constructor(options: StubOptions = {}) {
    this.#options = options;
    this.script = options.script ?? returnRows;
  }

  get streams(): number {
    return this.#calls.size;
  }

  async start(port = this.#options.port ?? 0): Promise<this> {
    const { sources } = this.#options;
    this.#server = new grpc.Server(GRPC_OPTIONS);
    this.#server.addService(BigtraceWorker.service, {
      Run: (call: Call) => this.#run(call),
      List: (call: grpc.ServerWritableStream<ListRequest, ListResponse>) => this.#list(call),
      Unbar: (
        { request }: { request: UnbarRequest },
        reply: grpc.sendUnaryData<UnbarResponseInput>,
      ) => {
        if (!this.#frozen) reply(null, { lifted: request.all ? 7 : request.trace.length });
      },
      Status: (_call: unknown, reply: grpc.sendUnaryData<WorkerStatusInput>) => {
        if (!this.#frozen) reply(null, this.#status());
      },
      ...(sources === undefined
        ? {}
        : {
            Sources: (
              call: grpc.ServerUnaryCall<SourcesRequest, TraceSourcesInput>,
              reply: grpc.sendUnaryData<TraceSourcesInput>,
            ) => {
              const left = new AbortController();
              call.on('cancelled', () => left.abort());
              const answer = sources(call.request, left.signal);
              if (answer !== undefined) reply(null, answer);
            },
          }),
    });
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(
        `127.0.0.1:${port}`,
        grpc.ServerCredentials.createInsecure(),
        (error, at) => (error === null ? resolve(at) : reject(error)),
      );
    });
    this.address = `127.0.0.1:${bound}`;
    return this;
  }

  /** Breaks every connection, like a process that is killed. */
  kill(): void {
    this.#server.forceShutdown();
    this.#calls.clear();
  }

  /** Stops responding to Status and Unbar while connections stay open, like a process that is stopped. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Reports draining on all streams. */
  drain(): void {
    this.draining = true;
    for (const call of this.#calls) call.write({ event: [{ draining: true }] });
  }

  /** Ends all streams with an error. */
  failStreams(error: BigtraceError): void {
    for (const call of this.#calls) call.emit('error', toServiceError(error));
  }

  #status(): WorkerStatusInput {
    const { threads = 1, cacheId = '', firstCredits = 0, localRoot } = this.#options;
    const { instanceMemoryBytes = 0, engine = 'stub' } = this.#options;
    return {
      localRoot: localRoot === undefined ? [] : [Buffer.from(localRoot)],
      ...{ version: 'stub', engine, engineName: engine, threads, tasksRunning: 0, tasksQueued: 0 },
      ...{ uptimeMs: 1, draining: this.draining, counters: {}, gauges: {}, cacheId, firstCredits },
      instanceMemoryBytes,
    };
  }

  /** Whether it refuses the call, without a header. */
  #refuses(call: { emit(event: 'error', error: unknown): boolean }): boolean {
    if (this.refusals-- <= 0) return false;
    call.emit('error', toServiceError(new BigtraceError('worker_lost', 'the worker is leaving')));
    return true;
  }

  #run(call: Call): void {
    if (this.#refuses(call)) return;
    this.#calls.add(call);
    let start: RunStart | undefined;
    let over: () => void = () => undefined;
    const cancelled = new Promise<void>((resolve) => {
      over = resolve;
    });
    const open = new Map<number, () => void>();
    const waiting = new Map<number, string>();
    const begin = (): void => {
      for (const [id, trace] of waiting) {
        if (start === undefined || open.size >= (this.#options.concurrency ?? 1e9)) return;
        waiting.delete(id);
        this.#task({ call, start, cancelled, open, begin }, id, trace);
      }
    };
    const ended = (how: 'finished' | 'cancelled'): void => {
      if (!this.#calls.delete(call)) return;
      this.ended.push(how);
      over();
    };
    call.on('data', (request: RunRequest) => {
      if (request.start) {
        start = request.start;
        call.write({ event: [{ credits: this.#options.window ?? 4 }] });
      }
      for (const { id, trace, generation, alone } of request.assign?.task ?? []) {
        waiting.set(id, trace.toString());
        this.generations.set(trace.toString(), generation);
        if (alone) this.alone.push(trace.toString());
      }
      for (const id of request.withdraw?.id ?? [])
        if (waiting.delete(id)) call.write({ event: [{ returned: { id: [id] } }, { credits: 1 }] });
      for (const id of request.cancel?.id ?? []) open.get(id)?.();
      begin();
    });
    call.on('end', () => {
      ended(open.size === 0 ? 'finished' : 'cancelled');
      call.end();
    });
    call.on('cancelled', () => ended('cancelled'));
  }

  #task({ call, start, cancelled, open, begin }: StubRun, id: number, trace: string): void {
    const key = `${start.queryId} ${trace}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    this.seen.push(trace);
    const send = (event: RunEventInput): void => {
      if (open.has(id) && this.#calls.has(call)) call.write({ event: [event] });
    };
    const end = (event: RunEventInput): void => {
      send(event);
      send({ credits: 1 });
      open.delete(id);
      begin();
    };
    const returned = (): void => end({ returned: { id: [id] } });
    open.set(id, () => {
      this.cancelledTraces.push(trace);
      returned();
    });
    const since = performance.now();
    const task: StubTask = {
      ...{ trace, start, attempt, send, cancelled, returned },
      state: (phase) => {
        const phaseMs = Math.round(performance.now() - since);
        send({ states: { state: [{ id, phase, phaseMs, threadMs: phaseMs }] } });
      },
      rows: (data, last, stats = {}) => {
        const result = typeof data === 'string' ? Buffer.from(data) : data;
        if (!last) send({ rows: { id, result, last } });
        else end({ rows: { id, result, last, stats: { ...STATS, ...stats } } });
      },
      types: (columns, stats) =>
        end({ types: { id, column: columnsOf(columns), stats: { ...STATS, ...stats } } }),
      fail: (code, message, neededBytes = 0) =>
        end({ failure: { id, code, message, neededBytes } }),
    };
    void this.script(task);
  }

  #list(call: grpc.ServerWritableStream<ListRequest, ListResponse>): void {
    this.listed += 1;
    if (this.#refuses(call)) return;
    const { pattern, limit } = call.request;
    call.sendMetadata(new grpc.Metadata());
    const { list = () => [] } = this.#options;
    const matching: string[] = [];
    for (const one of pattern) {
      const found = list(one.toString());
      if (found === undefined) return;
      matching.push(...found);
    }
    const all = limit > 0 ? matching.slice(0, limit) : matching;
    const trace = all.map((address) => ({
      ...{ address: Buffer.from(address), size: 1, generation: '1', modifiedMs: 1 },
    }));
    call.write({ trace });
    call.end();
  }
}

function columnsOf(
  columns: Record<string, number | [seen: number, possible: number]>,
): ColumnInput[] {
  return Object.entries(columns).map(([name, kinds]) => {
    const [cellKinds, possibleKinds] = typeof kinds === 'number' ? [kinds, 0] : kinds;
    return { name: Buffer.from(name), cellKinds, possibleKinds };
  });
}
