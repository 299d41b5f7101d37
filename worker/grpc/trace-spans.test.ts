import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SpanAttributes, Tracing } from '../../lib/common/observability/tracing.ts';
import type { RunEvent } from '../../lib/proto/messages.ts';
import { TraceSpans } from './trace-spans.ts';

function recorded(): { tracing: Tracing; spans: SpanAttributes[] } {
  const spans: SpanAttributes[] = [];
  const tracing: Tracing = {
    start: (_name, under) => ({
      context: under ?? { traceparent: '' },
      end: (attributes) => void spans.push(attributes),
    }),
    close: async () => undefined,
  };
  return { tracing, spans };
}

const STATS = { rows: 1, traceBytes: 0, loadMs: 0, queryMs: 0, tier: 'loaded' as const };
const ANSWER: RunEvent = { rows: { id: 1, result: Buffer.of(), last: true, stats: STATS } };
const FAILURE: RunEvent = {
  failure: { id: 1, code: 'sql_failed', message: 'no', threadMs: 0, neededBytes: 0 },
};

const NOW = 1e12;

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

function end(spans: TraceSpans, trace: string, tookMs: number, event = ANSWER): void {
  spans.ended({ queryId: 'q', trace: Buffer.from(trace), fromMs: NOW - tookMs, event });
}

test('the first traces, each trace slower than all before, and failed traces get a span', () => {
  const { tracing, spans } = recorded();
  const ofQuery = new TraceSpans(tracing, { traceparent: 'up' });
  for (let at = 0; at < 100_000; at += 1) end(ofQuery, `first ${at}`, 1000);
  expect(spans).toHaveLength(100);
  end(ofQuery, 'slow', 60_000);
  end(ofQuery, 'less slow', 30_000);
  end(ofQuery, 'failed', 0, FAILURE);
  expect(spans.slice(100).map((span) => span['bigtrace.trace'])).toEqual(['slow', 'failed']);
});

test('a query gets at most 200 spans, even if every trace fails', () => {
  const { tracing, spans } = recorded();
  const ofQuery = new TraceSpans(tracing, { traceparent: 'up' });
  for (let at = 0; at < 1000; at += 1) end(ofQuery, 'failed', 0, FAILURE);
  expect(spans).toHaveLength(200);
});

test('a returned task gets no span', () => {
  const { tracing, spans } = recorded();
  end(new TraceSpans(tracing, { traceparent: 'up' }), 'back', 0, { returned: { id: [1] } });
  expect(spans).toEqual([]);
});
