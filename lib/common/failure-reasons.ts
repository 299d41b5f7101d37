/** Collects why traces of a query failed: the number of failures and the first message for each code. */
import { BigtraceError, type ErrorCode } from './errors.ts';

const REASONS_TOLD = 3;

export class FailureReasons {
  readonly #reasons = new Map<ErrorCode, { count: number; first: string }>();
  #count = 0;

  /** The number of failures that were added. */
  get count(): number {
    return this.#count;
  }

  /** Adds a failure. `error` must have its trace. */
  add(error: BigtraceError): void {
    this.#count += 1;
    const reason = this.#reasons.get(error.code);
    if (reason === undefined) this.#reasons.set(error.code, { count: 1, first: error.message });
    else reason.count += 1;
  }

  /**
   * Returns the error all_failed of a lenient query. All its traces, or all that were sampled, must have been added.
   * The most frequent reasons come first.
   */
  allFailed(which: 'all' | 'sampled' = 'all'): BigtraceError {
    const traces = which === 'all' ? 'traces' : 'sampled traces';
    const subject =
      this.#count === 1 && which === 'all'
        ? 'the only trace failed'
        : `all ${this.#count} ${traces} failed`;
    const reasons = [...this.#reasons]
      .sort(([one, a], [other, b]) => b.count - a.count || (one < other ? -1 : 1))
      .map(([code, { count, first }]) => `${count} ${code}, such as ${first}`);
    return new BigtraceError(
      'all_failed',
      `${subject}: ${reasons.slice(0, REASONS_TOLD).join('; ')}`,
    );
  }
}
