/** Why traces of a query failed: how many by each code, and the first of each in words. */
import { BigtraceError, type ErrorCode } from './errors.ts';

const REASONS_TOLD = 3;

export class FailureReasons {
  readonly #reasons = new Map<ErrorCode, { count: number; first: string }>();
  #count = 0;

  /** Failures that were added. */
  get count(): number {
    return this.#count;
  }

  /** `error` names its trace. */
  add(error: BigtraceError): void {
    this.#count += 1;
    const reason = this.#reasons.get(error.code);
    if (reason === undefined) this.#reasons.set(error.code, { count: 1, first: error.message });
    else reason.count += 1;
  }

  /**
   * The error of a lenient query without an answer: all its traces are here, or those that were sampled of them. The
   * most frequent reasons come first.
   */
  noneAnswered(which: 'all' | 'sampled' = 'all'): BigtraceError {
    const traces = which === 'all' ? 'traces' : 'sampled traces';
    const who =
      this.#count === 1 && which === 'all'
        ? 'the only trace did not answer'
        : `none of the ${this.#count} ${traces} answered`;
    const reasons = [...this.#reasons]
      .sort(([one, a], [other, b]) => b.count - a.count || (one < other ? -1 : 1))
      .map(([code, { count, first }]) => `${count} ${code}, such as ${first}`);
    return new BigtraceError('all_failed', `${who}: ${reasons.slice(0, REASONS_TOLD).join('; ')}`);
  }
}
