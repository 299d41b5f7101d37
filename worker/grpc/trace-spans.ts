/**
 * Records spans for some of one query's traces on this worker: the first ones, and later ones that are slow or fail.
 */

import type { TraceContext, Tracing } from '../../lib/common/observability/tracing.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { RunEvent } from '../../lib/proto/messages.ts';

/** Maximum number of spans of a query on each worker: of the first traces, and in all. */
const FIRST_SPANS = 100;
const SPANS_MAX = 200;

export interface EndedTrace {
  queryId: string;
  trace: Buffer;
  /** When work on it began, in milliseconds since the epoch. */
  fromMs: number;
  /** The event that ended the task. */
  event: RunEvent;
}

/** Decides which traces of a query get a span. */
export class TraceSpans {
  readonly #tracing: Tracing;
  readonly #under: TraceContext;
  #count = 0;
  #slowestMs = 0;

  /** @param under the query's span */
  constructor(tracing: Tracing, under: TraceContext) {
    this.#tracing = tracing;
    this.#under = under;
  }

  /** Records a span for the ended trace if it is among the first, slower than all before it, or failed. */
  ended({ queryId, trace, fromMs, event: { rows, types, failure } }: EndedTrace): void {
    const stats = rows?.stats ?? types?.stats;
    if (!stats && !failure) return; // returned before it began
    const tookMs = Date.now() - fromMs;
    const standsOut = Boolean(failure) || tookMs > this.#slowestMs;
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    if (this.#count >= SPANS_MAX || (this.#count >= FIRST_SPANS && !standsOut)) return;
    this.#count += 1;
    this.#tracing.start('bigtrace.trace', this.#under, fromMs).end(
      {
        'bigtrace.query.id': queryId,
        'bigtrace.trace': printable(textFromBytes(trace)),
        ...(stats && {
          'bigtrace.tier': stats.tier,
          'bigtrace.load_ms': Math.round(stats.loadMs),
          'bigtrace.query_ms': Math.round(stats.queryMs),
          'bigtrace.rows': stats.rows,
          'bigtrace.trace_bytes': stats.traceBytes,
        }),
      },
      failure ?? undefined,
    );
  }
}
