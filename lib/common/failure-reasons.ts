/** Collects why traces of a query failed: the number of failures and the first message for each code. */
import { BigtraceError, type ErrorCode } from './errors.ts';

const REASONS_SHOWN = 3;

/** How many traces a query has of which only some were sampled. */
export interface SampledOf {
  traces: number;
  /** Whether the query has more than these. */
  orMore: boolean;
}

export class FailureReasons {
  readonly #reasons = new Map<ErrorCode, { count: number; first: BigtraceError }>();
  #count = 0;
  #addresses = 0;

  /** The number of failures that were added. */
  get count(): number {
    return this.#count;
  }

  /** Adds a failed trace. `error` must have its trace. */
  add(error: BigtraceError): void {
    this.#count += 1;
    const reason = this.#reasons.get(error.code);
    if (reason === undefined) this.#reasons.set(error.code, { count: 1, first: error });
    else reason.count += 1;
  }

  /** Adds the error of an address, pattern or filter that selects no trace. */
  addAddress(error: BigtraceError): void {
    this.#addresses += 1;
    this.add(error);
  }

  /**
   * Returns the error of a lenient query. All its traces, or all that were sampled, must have been added. The most
   * frequent reasons come first. If nothing but one address was added, its error says what is wrong.
   */
  allFailed(sampledOf?: SampledOf): BigtraceError {
    const [only] = this.#reasons.values();
    if (only !== undefined && this.#count === 1 && this.#addresses === 1) return only.first;
    const reasons = [...this.#reasons]
      .sort(([one, a], [other, b]) => b.count - a.count || (one < other ? -1 : 1))
      .map(([code, { count, first }]) => `${count} ${code}, such as ${first.message}`);
    return new BigtraceError(
      'all_failed',
      `${this.#subject(sampledOf)}: ${reasons.slice(0, REASONS_SHOWN).join('; ')}`,
    );
  }

  #subject(sampledOf: SampledOf | undefined): string {
    const count = this.#count;
    if (this.#addresses === count) return `none of the ${count} addresses selects a trace`;
    if (sampledOf !== undefined) {
      const { traces, orMore } = sampledOf;
      return `all ${count} sampled traces of ${orMore ? 'more than ' : ''}${traces} failed`;
    }
    return count === 1 ? 'the only trace failed' : `all ${count} traces failed`;
  }
}
