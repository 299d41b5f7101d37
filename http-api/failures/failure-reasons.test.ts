import { expect, it } from 'vitest';
import type { ConsoleFailure } from '../watch.ts';
import { failureReasons } from './failure-reasons.ts';

function failure(
  trace: string,
  message: string,
  more: Partial<ConsoleFailure> = {},
): ConsoleFailure {
  return { queryId: 'q1', trace, code: 'trace_invalid', message, timeMs: 1, ...more };
}

it('groups failures that differ only in numbers or trace, and shows the latest message', () => {
  const failures = [
    failure('/local/a', '/local/a ends at byte 17', { timeMs: 5 }),
    failure('/local/b', '/local/b ends at byte 9', { timeMs: 8, queryId: 'q2' }),
    failure('/local/a', '/local/a ends at byte 17', { timeMs: 2, queryId: 'q2' }),
    failure('', 'all 4 failed, such as [/local/a]: no such table: x', { code: 'sql_failed' }),
    failure('', 'all 9 failed, such as [/local/b]: no such table: x', { code: 'sql_failed' }),
  ];
  expect(failureReasons(failures, 10)).toEqual([
    {
      code: 'trace_invalid',
      message: '/local/b ends at byte 9',
      ...{ count: 3, queries: 2, lastMs: 8 },
      traces: ['/local/a', '/local/b'],
    },
    {
      code: 'sql_failed',
      message: 'all 4 failed, such as [/local/a]: no such table: x',
      ...{ count: 2, queries: 1, lastMs: 1 },
      traces: [],
    },
  ]);
});

it('limits the number of reasons and of traces in each', () => {
  const many = Array.from({ length: 100 }, (_, at) => failure(`/local/t${at}`, 'cut short'));
  const others = [...'abcdef'].map((letter) => failure('/local/x', `reason ${letter}`));
  const reasons = failureReasons([...others, ...many], 3);
  expect(reasons.map(({ count }) => count)).toEqual([100, 1, 1]);
  expect(reasons[0]?.traces).toHaveLength(5);
});
