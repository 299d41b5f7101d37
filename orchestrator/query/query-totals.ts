/** Counts the traces, rows and bytes of a query. */
import type { BigtraceError } from '../../lib/common/errors.ts';
import { FailureReasons } from '../../lib/common/failure-reasons.ts';
import type { Progress, RunningTrace, TaskStats } from '../../lib/proto/messages.ts';

/** Counts of traces by the source of their results (TaskStats.tier). */
const TIERS = {
  result: 'tracesRemembered',
  loaded: 'tracesLoaded',
  snapshot: 'tracesRestored',
  parse: 'tracesParsed',
} as const;

export type Cost = Pick<Progress, 'coreMs' | 'traceBytes'>;

export class QueryTotals {
  readonly #startedAt = performance.now();
  readonly #reasons = new FailureReasons();
  tracesTotal = 0;
  totalIsFinal = false;
  tracesDone = 0;
  tracesFailed = 0;
  rows = 0;
  resultBytes = 0;
  traceBytes = 0;
  #coreMs = 0;
  /** What was spent before under the query's ID; only the progress contains it. */
  before: Cost = { coreMs: 0, traceBytes: 0 };
  readonly #tiers = { tracesRemembered: 0, tracesLoaded: 0, tracesRestored: 0, tracesParsed: 0 };

  /** Time of engine threads for the traces that are done. */
  get coreMs(): number {
    return Math.round(this.#coreMs);
  }

  /** Whether anything was passed on to the client. */
  get begun(): boolean {
    return this.tracesDone + this.tracesFailed + this.resultBytes > 0;
  }

  done(stats: TaskStats | null | undefined): void {
    this.tracesDone += 1;
    this.rows += stats?.rows ?? 0;
    this.traceBytes += stats?.traceBytes ?? 0;
    this.#coreMs += (stats?.loadMs ?? 0) + (stats?.queryMs ?? 0);
    const tier = TIERS[stats?.tier as keyof typeof TIERS];
    if (tier !== undefined) this.#tiers[tier] += 1;
  }

  failed(error: BigtraceError): void {
    this.tracesFailed += 1;
    this.#reasons.add(error);
  }

  /** Counts an address that selects no trace as a failed trace. */
  refused(error: BigtraceError): void {
    this.tracesTotal += 1;
    this.tracesFailed += 1;
    this.#reasons.addAddress(error);
  }

  /** @param running the traces that have run longest */
  progress(running: RunningTrace[] = []): Progress {
    const { tracesTotal, totalIsFinal, tracesDone, tracesFailed } = this;
    const { rows, resultBytes } = this;
    const coreMs = this.coreMs + this.before.coreMs;
    const traceBytes = this.traceBytes + this.before.traceBytes;
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    return {
      ...{ tracesTotal, totalIsFinal, tracesDone, tracesFailed },
      ...{ rows, resultBytes, traceBytes, elapsedMs, running, coreMs },
      ...this.#tiers,
    };
  }

  /** Returns the error of a lenient query in which every trace failed. */
  allFailed(): BigtraceError {
    return this.#reasons.allFailed();
  }
}
