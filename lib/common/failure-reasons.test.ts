import { expect, test } from 'vitest';
import { BigtraceError } from './errors.ts';
import { FailureReasons } from './failure-reasons.ts';

function reasonsOf(...codes: ('trace_invalid' | 'sql_failed' | 'engine_crashed')[]) {
  const reasons = new FailureReasons();
  codes.forEach((code, at) => {
    reasons.add(new BigtraceError(code, `${code}?`, { trace: `/t${at}` }));
  });
  return reasons;
}

test('the error of a single trace does not count traces', () => {
  expect(reasonsOf('sql_failed').allFailed().message).toBe(
    'the only trace failed: 1 sql_failed, such as [/t0]: sql_failed?',
  );
});

test('the most frequent reasons are named first, in whatever order they were added', () => {
  const error = reasonsOf('sql_failed', 'engine_crashed', 'trace_invalid', 'trace_invalid');
  expect(error.count).toBe(4);
  expect(error.allFailed()).toMatchObject({
    code: 'all_failed',
    message:
      'all 4 traces failed: 2 trace_invalid, such as [/t2]: trace_invalid?; ' +
      '1 engine_crashed, such as [/t1]: engine_crashed?; 1 sql_failed, such as [/t0]: sql_failed?',
  });
});

test('the error of a sample has the number of traces of the query', () => {
  const reasons = reasonsOf('sql_failed', 'sql_failed');
  for (const [sampledOf, of] of [
    [{ traces: 40, orMore: false }, '40'],
    [{ traces: 1000, orMore: true }, 'more than 1000'],
  ] as const)
    expect(reasons.allFailed(sampledOf).message).toBe(
      `all 2 sampled traces of ${of} failed: 2 sql_failed, such as [/t0]: sql_failed?`,
    );
});

test('addresses are not counted as traces, and the error of an only one is not wrapped', () => {
  const error = new BigtraceError('invalid_filter', 'filter over bigtrace.traces: why');
  const reasons = new FailureReasons();
  reasons.addAddress(error);
  expect(reasons.allFailed()).toBe(error);
  reasons.addAddress(error);
  expect(reasons.allFailed().message).toBe(
    'none of the 2 addresses selects a trace: 2 invalid_filter, such as filter over bigtrace.traces: why',
  );
});
