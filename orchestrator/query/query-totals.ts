/** Counts the traces, rows and bytes of a query. */
import type { BigtraceError } from '../../lib/common/errors.ts';
import { FailureReasons } from '../../lib/common/failure-reasons.ts';
import type { Progress, RunningTrace, TaskStats } from '../../lib/proto/messages.ts';

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

  /** Whether anything was passed on to the client. */
  get begun(): boolean {
    return this.tracesDone + this.tracesFailed + this.resultBytes > 0;
  }

  done(stats: TaskStats | null | undefined): void {
    this.tracesDone += 1;
    this.rows += stats?.rows ?? 0;
    this.traceBytes += stats?.traceBytes ?? 0;
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
    const { rows, resultBytes, traceBytes } = this;
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    return {
      ...{ tracesTotal, totalIsFinal, tracesDone, tracesFailed },
      ...{ rows, resultBytes, traceBytes, elapsedMs, running },
    };
  }

  /** Returns the error of a lenient query in which every trace failed. */
  allFailed(): BigtraceError {
    return this.#reasons.allFailed();
  }
}
