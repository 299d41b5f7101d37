/** The failures of the last queries, for those who ask afterwards. */
import type { RecordedFailure } from '../../lib/proto/messages.ts';

const FAILURES_MAX = 20_000;
const FAILURES_MAX_OF_QUERY = 5_000;
const MESSAGE_CHARS_MAX = 2_000;

export class FailureLog {
  /** By query, oldest query first. */
  readonly #queries = new Map<string, RecordedFailure[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Beyond a bound of one query the first are kept; beyond one of all, the latest queries. */
  add(failure: RecordedFailure): void {
    const of = this.#queries.get(failure.queryId) ?? [];
    if (of.length >= FAILURES_MAX_OF_QUERY) return;
    this.#queries.set(failure.queryId, of);
    of.push({
      ...failure,
      trace: Buffer.from(failure.trace), // it was a view of a whole message
      message: failure.message.slice(0, MESSAGE_CHARS_MAX),
    });
    this.#size += 1;
    for (const [queryId, failures] of this.#queries) {
      if (this.#size <= FAILURES_MAX) return;
      this.#queries.delete(queryId);
      this.#size -= failures.length;
    }
  }

  /** Of one query, or of all, newest query first. @param limit 0: all */
  *read(queryId: string, limit: number): Generator<RecordedFailure> {
    const chosen =
      queryId === '' ? [...this.#queries.values()].reverse() : [this.#queries.get(queryId) ?? []];
    let left = limit || Number.POSITIVE_INFINITY;
    for (const failure of chosen.flat()) {
      if (left-- <= 0) return;
      yield failure;
    }
  }
}
