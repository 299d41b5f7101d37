import { expect, test } from 'vitest';
import { onOneLine } from '../../lib/common/text/one-line.ts';
import { failureText, inLines } from './failure-text.ts';

const SQL_ERROR = `Traceback (most recent call last):
  File "stdin" line 3 col 7
    WHERE nope > 1
          ^
no such column: nope`;
const ALL_FAILED = `all 13 traces failed: 12 sql_failed, such as [/local/a]: ${SQL_ERROR}; 1 trace_invalid, such as [/local/b]: cut short`;
const QUERY = { uuid: 'q' };

/** Orchestrators that recorded these failures, of 13 traces that all failed. */
function watch(recorded: readonly string[]) {
  return {
    counts: async () => ({
      ...{ tracesDone: 0, tracesFailed: 13, tracesTotal: 13, totalIsFinal: true },
      ...{ coreMs: 0, traceBytes: 0, tracesRemembered: 0, tracesLoaded: 0, tracesRestored: 0 },
      tracesParsed: 0,
    }),
    failures: async (_: string, limit: number) => recorded.slice(0, limit),
  };
}

test('an error has its lines again, however many failures the query has', async () => {
  const others = Array.from({ length: 5000 }, (_, at) => `[/local/${at}]: ${SQL_ERROR}`);
  const recorded = watch([...others, ALL_FAILED]);
  const line =
    'all 13 traces failed: 12 sql_failed, such as [/local/a]: no such column: nope; 1 trace_invalid, such as [/local/b]: cut short; at File "stdin" line 3 col 7 WHERE nope > 1';
  expect(onOneLine(ALL_FAILED)).toBe(line);
  expect(await inLines(recorded, QUERY, line)).toBe(ALL_FAILED);
  const ofTrace =
    '[/local/4999]: no such column: nope; at File "stdin" line 3 col 7 WHERE nope > 1';
  expect(await inLines(recorded, QUERY, ofTrace)).toBe(`[/local/4999]: ${SQL_ERROR}`);
});

test('an error that no orchestrator recorded stays on its line', async () => {
  expect(await inLines(watch([ALL_FAILED]), QUERY, 'too many rows')).toBe('too many rows');
  expect(await inLines(watch([]), QUERY, 'too many rows')).toBe('too many rows');
});

test('the text about failed traces has three reasons', async () => {
  expect(await failureText(watch(['a', 'b', 'c', 'd']), QUERY)).toBe(
    '13 of 13 traces failed: a; b; c; …',
  );
});
