/** Keeps the failures of recent queries, for the Failures call and the console. */
import type { RecordedFailure } from '../../lib/proto/messages.ts';

const FAILURES_MAX = 20_000;
const FAILURES_MAX_OF_QUERY = 5_000;
const MESSAGE_CHARS_MAX = 2_000;

export class FailureLog {
  /** Failures by query id, oldest query first. */
  readonly #queries = new Map<string, RecordedFailure[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a failure. Of the traces of a query the first FAILURES_MAX_OF_QUERY failures are kept, and that of the query as a
   * whole; beyond FAILURES_MAX in all, the oldest queries are dropped.
   */
  add(failure: RecordedFailure): void {
    const of = this.#queries.get(failure.queryId) ?? [];
    if (of.length >= FAILURES_MAX_OF_QUERY && failure.trace.length > 0) return;
    this.#queries.set(failure.queryId, of);
    of.push({
      ...failure,
      trace: Buffer.from(failure.trace), // a copy: the original is a view that keeps a whole message alive
      message: failure.message.slice(0, MESSAGE_CHARS_MAX),
    });
    this.#size += 1;
    for (const [queryId, failures] of this.#queries) {
      if (this.#size <= FAILURES_MAX) return;
      this.#queries.delete(queryId);
      this.#size -= failures.length;
    }
  }

  /**
   * Yields recorded failures, newest query first.
   * @param queryId empty: of all queries
   * @param limit 0: all
   */
  *read(queryId: string, limit: number): Generator<RecordedFailure> {
    const queries =
      queryId === '' ? [...this.#queries.values()].reverse() : [this.#queries.get(queryId) ?? []];
    let remaining = limit || Number.POSITIVE_INFINITY;
    for (const failure of queries.flat()) {
      if (remaining-- <= 0) return;
      yield failure;
    }
  }
}
