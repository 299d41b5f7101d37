/** Spans of one query's traces on this worker: for the first ones, then for those that stand out. */

import type { TraceContext, Tracing } from '../../lib/common/observability/tracing.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { RunEvent } from '../../lib/proto/messages.ts';

/** Of a query over a million traces there are no more spans than these, from each worker. */
const FIRST_SPANS = 100;
const SPANS_MAX = 200;

export interface EndedTrace {
  queryId: string;
  trace: Buffer;
  /** When work on it began; since the epoch. */
  fromMs: number;
  /** How it ended. */
  event: RunEvent;
}

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

  ended({ queryId, trace, fromMs, event: { rows, types, failure } }: EndedTrace): void {
    const stats = rows?.stats ?? types?.stats;
    if (stats === undefined && failure === undefined) return; // given back, unbegun
    const tookMs = Date.now() - fromMs;
    const standsOut = failure !== undefined || tookMs > this.#slowestMs;
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
      failure,
    );
  }
}
