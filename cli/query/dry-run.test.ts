import { expect, test } from 'vitest';
import type { WorkerState, WorkerStatus } from '../../lib/proto/messages.ts';
import { dryRunText } from './dry-run.ts';

const SOURCES = {
  ...{ remembered: 70, loaded: 2, restored: 8, parsed: 20, failed: 0 },
  ...{ traceBytes: 900_000_000, parsedBytes: 300_000_000 },
};

function worker(counters: Record<string, number>, state = 'ready'): WorkerState {
  return { address: 'a:1', state, status: { threads: 2, counters } as WorkerStatus };
}

test('a dry run names the sources, the rates and what they come from, and the estimate', () => {
  const parsed = { tier_parse: 30, parse_ms: 6000, trace_bytes: 90_000_000, query_ms: 300 };
  const restored = { tier_snapshot: 10, restore_ms: 500, tier_loaded: 60, query_ms: 700 };
  const lost = worker({ tier_parse: 1e6, parse_ms: 1 }, 'lost');
  const workers = [worker(parsed), worker(restored), lost];
  expect(dryRunText({ sources: SOURCES, unknown: 0 }, workers)).toBe(`\
Nothing was run. The sources are as they are now:
traces              100  900.0 MB
  remembered         70  their results are cached
  loaded              2  an engine has them
  restored            8  from snapshots
  parsed             20  300.0 MB are read
  failed              0  they do not exist, or are barred
  unknown             0  their workers did not say

Rates that 2 workers have measured since they started:
  parsing: 15.0 MB/s of each engine thread (30 traces)
  restoring: 50.0 ms a trace (10 traces)
  scripts: 10.0 ms a trace, the mean of all scripts (100 traces)
Estimated: 20.7 s of engine threads; 5.2 s on 4 of them, if nothing else runs. Requests to stores and the rows of the \
result take time in addition.`);
});

test('without a rate that it needs, a dry run estimates no time', () => {
  const text = dryRunText({ sources: SOURCES, unknown: 3 }, [worker({})]);
  expect(text).toContain('traces              103  900.0 MB\n');
  expect(text.split('\n').slice(-5)).toEqual([
    'Rates that the worker has measured since it started:',
    '  parsing: no trace was parsed',
    '  restoring: no snapshot was restored',
    '  scripts: none ran',
    'No estimate of the time: a rate that it needs was not measured yet.',
  ]);
});

test('remembered results need no rate', () => {
  const remembered = { ...SOURCES, loaded: 0, restored: 0, parsed: 0 };
  expect(dryRunText({ sources: remembered, unknown: 0 }, [worker({})])).toContain(
    'Estimated: 0.0 s of engine threads',
  );
});
