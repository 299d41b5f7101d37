/** Serves one `Run` stream: executes the tasks of one query, as many at a time as it gives credits for. */

import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { checkNameLength } from '../../lib/common/text/text-bounds.ts';
import type { PackageFacts } from '../../lib/engine/index.ts';
import type {
  RunEvent,
  RunMode,
  RunningTrace,
  RunRequest,
  RunStart,
  Task,
} from '../../lib/proto/messages.ts';
import type { Turn } from '../scheduling/turns.ts';
import { type TaskLimits, taskLimits } from '../tasks/limits.ts';
import { checkEngineId, checkEngineNamed } from '../tasks/own-engine.ts';
import { type PossibleKinds, withPossibleKinds } from '../tasks/possible-kinds.ts';
import { type ScriptFacts, scriptFacts } from '../tasks/script.ts';
import { executeTask } from '../tasks/task-executor.ts';
import type { TaskExecutorParts } from '../tasks/task-request.ts';
import { CreditWindow } from './credit-window.ts';
import { type EventSink, EventWriter } from './event-writer.ts';
import { RunningTask } from './running-task.ts';
import type { TraceSpans } from './trace-spans.ts';

/** Abort reason of a task that is withdrawn or cancelled; it is reported as returned, not as failed. */
const RETURNED = Symbol('given back');
/** Interval in milliseconds between reports of task states, and the minimum age of a reported task. */
const STATES_MS = 1000;

export interface RunStreamParts extends TaskExecutorParts {
  possibleKinds: PossibleKinds;
  /** SQL packages that scripts may include. */
  packages: readonly PackageFacts[];
  logger: Logger;
}

/** The writable side of the gRPC stream. */
export interface RunStreamSink extends EventSink {
  /** Ends the stream with an error. */
  fail(error: BigtraceError): void;
}

export class RunStreamHandler {
  readonly #parts: RunStreamParts;
  readonly #sink: RunStreamSink;
  readonly #spans: TraceSpans | undefined;
  readonly #writer: EventWriter;
  readonly #window: CreditWindow;
  readonly #tasks = new Map<number, RunningTask>();
  #query: Query | undefined;
  #timer: NodeJS.Timeout | undefined;
  #statesTimer: NodeJS.Timeout | undefined;
  /** Credits given and not used by an assignment. */
  #open = 0;
  /** Whether no further tasks are accepted: the client has half-closed the stream, or the worker drains. */
  #acceptsNoTasks = false;
  #ended = false;

  constructor(parts: RunStreamParts, sink: RunStreamSink, spans: TraceSpans | undefined) {
    this.#parts = parts;
    this.#sink = sink;
    this.#spans = spans;
    this.#writer = new EventWriter(sink);
    this.#window = new CreditWindow(parts.admission.threads.total);
  }

  /** Number of tasks that have not begun. */
  get queued(): number {
    let queued = 0;
    for (const { begun } of this.#tasks.values()) if (!begun) queued++;
    return queued;
  }

  /** The tasks that occupy a thread. */
  running(): RunningTrace[] {
    if (this.#query === undefined) return [];
    const { id: queryId, mode, turn } = this.#query;
    return [...this.#tasks.values()]
      .filter(({ phase }) => phase !== 'QUEUED')
      .map((task) => ({
        ...{ trace: task.trace, phase: task.phase, phaseMs: task.phaseMs, totalMs: task.totalMs },
        ...{ queryId, user: turn.user, mode, worker: '' },
      }));
  }

  onMessage(request: RunRequest): void {
    if (this.#ended) return;
    try {
      if (request.start) this.#onStart(request.start);
      else if (this.#query === undefined) throw protocolError('the first message must be start');
      else if (request.assign) this.#onAssign(request.assign.task);
      else if (request.withdraw) for (const id of request.withdraw.id) this.#returnTask(id);
      else if (request.cancel) for (const id of request.cancel.id) this.#cancel(id);
    } catch (thrown) {
      this.#fail(asBigtraceError(thrown));
    }
  }

  /** The client will assign no more tasks: the stream ends after the last result. */
  onHalfClose(): void {
    this.#acceptsNoTasks = true;
    this.#endWhenDone();
  }

  /** The stream has ended or broken: aborts all its tasks. */
  onGone(): void {
    this.#stop(new BigtraceError('cancelled', 'the query was cancelled'));
  }

  /** Finishes tasks that have begun, and returns the others to the orchestrator. */
  drain(): void {
    if (this.#ended || this.#acceptsNoTasks) return;
    this.#acceptsNoTasks = true;
    this.#send({ draining: true });
    for (const id of this.#tasks.keys()) this.#returnTask(id);
    this.#endWhenDone();
  }

  #onStart(start: RunStart): void {
    if (this.#query !== undefined) throw protocolError('only the first message may be start');
    checkEngineId(start.engine, this.#parts);
    checkEngineNamed(start.sql, this.#parts);
    if (start.sql.length === 0) throw new BigtraceError('no_sql', 'the query has no SQL');
    checkNameLength('the query ID', start.queryId);
    checkNameLength('the name of the user', start.user);
    this.#query = {
      id: start.queryId,
      mode: start.mode,
      script: scriptFacts(start.sql, this.#parts.packages),
      limits: taskLimits(start.limits, this.#parts.limits),
      turn: { user: start.user, query: this },
    };
    const timeoutMs = start.limits?.timeoutMs ?? 0;
    if (timeoutMs > 0)
      this.#timer = setTimeout(() => this.#fail(timeLimitExceeded(timeoutMs)), timeoutMs);
    this.#open = this.#window.give(start.credits);
    this.#grantCredits();
  }

  #onAssign(tasks: Task[]): void {
    for (const task of tasks) {
      if (this.#tasks.has(task.id)) throw protocolError(`task ${task.id} was assigned twice`);
      if (this.#open === 0) {
        // A client that assumed credits from an earlier worker at this address learns that there are fewer
        // here.
        this.#send({ returned: { id: [task.id] } });
        continue;
      }
      this.#open--;
      const running = new RunningTask(task.trace);
      this.#tasks.set(task.id, running);
      if (this.#acceptsNoTasks) running.abort.abort(RETURNED);
      void this.#run(task, running);
    }
    this.#statesTimer ??= setTimeout(() => this.#sendTaskStates(), STATES_MS);
  }

  /** Reports the phases of tasks that were assigned at least STATES_MS ago. */
  #sendTaskStates(): void {
    this.#statesTimer = undefined;
    if (this.#ended || this.#tasks.size === 0) return;
    const state = [...this.#tasks]
      .filter(([, { totalMs }]) => totalMs >= STATES_MS)
      .map(([id, { phase, phaseMs, threadMs }]) => ({ id, phase, phaseMs, threadMs }));
    if (state.length > 0) this.#send({ states: { state } });
    this.#statesTimer = setTimeout(() => this.#sendTaskStates(), STATES_MS);
  }

  async #run(assigned: Task, task: RunningTask): Promise<void> {
    const { id, trace } = assigned;
    const { signal } = task.abort;
    const end = await this.#execute(assigned, task).catch((thrown: unknown): RunEvent => {
      if (signal.reason === RETURNED) return { returned: { id: [id] } };
      const error = asBigtraceError(thrown);
      this.#logFailure(error, trace);
      const { threadMs } = task;
      const { code, detail: message, neededBytes = 0 } = error;
      return { failure: { id, code, message, threadMs, neededBytes } };
    });
    this.#tasks.delete(id);
    const queryId = this.#query?.id ?? '';
    this.#spans?.ended({ queryId, trace, fromMs: task.fromMs, event: end });
    if (this.#ended) return;
    this.#send(end);
    this.#window.ended();
    this.#grantCredits();
    this.#endWhenDone();
  }

  /** Executes the task, and returns the event that ends it. */
  async #execute({ id, trace, generation, alone }: Task, task: RunningTask): Promise<RunEvent> {
    if (this.#query === undefined) throw protocolError('the first message must be start');
    const { mode, script, limits, turn } = this.#query;
    /** The last result is sent with the task's statistics. */
    let last: Buffer | undefined;
    const { columns, stats } = await executeTask(
      this.#parts,
      {
        trace: textFromBytes(trace),
        generation,
        alone,
        script,
        limits,
        wantsKinds: mode === 'TYPES',
        turn,
        outlet: this.#writer,
        onBegin: (waitedMs) => {
          task.begin();
          this.#window.began(waitedMs);
          this.#grantCredits();
        },
        onPhase: (phase) => task.enter(phase),
        onResult: (result, _rows, isLast) => {
          if (mode === 'TYPES') return undefined;
          if (!isLast) return this.#sendRows(id, result);
          last = result;
          return undefined;
        },
      },
      task.abort.signal,
    );
    if (mode === 'TYPES') {
      const column = await withPossibleKinds(columns ?? [], () =>
        this.#parts.possibleKinds.of(script, turn, task.abort.signal),
      );
      return { types: { id, column, stats } };
    }
    if (last === undefined) throw new BigtraceError('internal', 'the result has no last chunk');
    return { rows: { id, result: last, last: true, stats } };
  }

  /**
   * Logs failures of the engine or the worker as warnings, for the operator; those that users cause go to the
   * debug log.
   */
  #logFailure({ code, kind, detail, cause }: BigtraceError, trace: Buffer): void {
    const about = { query: this.#query?.id, trace: printable(textFromBytes(trace)), code };
    if (kind === 'internal') this.#parts.logger.warn({ ...about, err: cause }, detail);
    else this.#parts.logger.debug(about, detail);
  }

  /** Withdraws a task unless it has begun. */
  #returnTask(id: number): void {
    const task = this.#tasks.get(id);
    if (task?.begun === false) task.abort.abort(RETURNED);
  }

  /** Cancels a task, also if it has begun. */
  #cancel(id: number): void {
    this.#tasks.get(id)?.abort.abort(RETURNED);
  }

  #grantCredits(): void {
    if (this.#acceptsNoTasks || this.#ended) return;
    const credits = this.#window.give();
    if (credits === 0) return;
    this.#open += credits;
    this.#send({ credits });
  }

  #send(event: RunEvent): void {
    if (!this.#ended) void this.#writer.add(event, event.rows?.result.length ?? 0);
  }

  /** Sends rows. If there is a promise, the engine waits for it until the client has caught up. */
  #sendRows(id: number, result: Buffer): Promise<void> | undefined {
    if (this.#ended) return undefined;
    return this.#writer.add({ rows: { id, result, last: false, stats: null } }, result.length);
  }

  #endWhenDone(): void {
    if (!this.#acceptsNoTasks || this.#ended || this.#tasks.size > 0) return;
    this.#ended = true;
    this.#clearTimers();
    this.#writer.end();
  }

  #clearTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#statesTimer);
  }

  #fail(error: BigtraceError): void {
    if (this.#ended) return;
    this.#stop(error);
    this.#sink.fail(error);
  }

  #stop(reason: BigtraceError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    this.#writer.close();
    for (const { abort } of this.#tasks.values()) abort.abort(reason);
  }
}

interface Query {
  id: string;
  mode: RunMode;
  script: ScriptFacts;
  limits: TaskLimits;
  turn: Turn;
}

function protocolError(what: string): BigtraceError {
  return new BigtraceError('invalid_option', `${what} (bigtrace.v1.Worker.Run)`);
}

function timeLimitExceeded(ms: number): BigtraceError {
  return new BigtraceError('deadline_exceeded', `the query exceeded its time limit of ${ms} ms`);
}
