/** What a query has done so far. */
import { BigtraceError } from '../common/errors.ts';
import type { Progress, TaskStats } from '../proto/messages.ts';

export class Tally {
  readonly #startedAt = performance.now();
  readonly #reasons = new Map<string, { count: number; first: string }>();
  tracesTotal = 0;
  totalIsFinal = false;
  tracesDone = 0;
  tracesFailed = 0;
  rows = 0;
  resultBytes = 0;
  traceBytes = 0;

  done(stats: TaskStats | null | undefined): void {
    this.tracesDone += 1;
    this.rows += stats?.rows ?? 0;
    this.traceBytes += stats?.traceBytes ?? 0;
  }

  failed(error: BigtraceError): void {
    this.tracesFailed += 1;
    const reason = this.#reasons.get(error.code);
    if (reason === undefined) this.#reasons.set(error.code, { count: 1, first: error.message });
    else reason.count += 1;
  }

  progress(): Progress {
    const { tracesTotal, totalIsFinal, tracesDone, tracesFailed } = this;
    const { rows, resultBytes, traceBytes } = this;
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    return {
      ...{ tracesTotal, totalIsFinal, tracesDone, tracesFailed },
      ...{ rows, resultBytes, traceBytes, elapsedMs },
    };
  }

  /** The error of a lenient query that no trace answered. */
  allFailed(): BigtraceError {
    const reasons = [...this.#reasons].map(
      ([code, { count, first }]) => `${count} ${code}, such as ${first}`,
    );
    return new BigtraceError(
      'all_failed',
      `all ${this.tracesFailed} traces failed: ${reasons.slice(0, 3).join('; ')}`,
    );
  }
}
