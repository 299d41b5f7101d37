import { expect, it } from 'vitest';
import { errorPlace } from './error-place.ts';

const SCRIPT = 'SELECT name,\n  nonsense\nFROM slice';
const ERROR = `all 12 traces failed: Traceback (most recent call last):
  File "stdin" line 2 col 3
    nonsense
    ^
no such column: nonsense`;

it('marks the word at the place that the error names, with its last line', () => {
  expect(errorPlace(SCRIPT, ERROR)).toEqual({
    ...{ from: 15, to: 23, message: 'no such column: nonsense' },
  });
});

it('marks the last place in the script when a module that it calls failed', () => {
  const error = `File "stdin" line 1 col 8\n  File "slices.flow" line 9 col 1\nno such table: x`;
  expect(errorPlace(SCRIPT, error)).toEqual({ from: 7, to: 11, message: 'no such table: x' });
});

it('marks nothing where the error names no place in the script', () => {
  expect(errorPlace(SCRIPT, 'the trace does not exist')).toBeUndefined();
  expect(errorPlace(SCRIPT, '')).toBeUndefined();
  expect(errorPlace(SCRIPT, 'File "stdin" line 9 col 1\nx')).toBeUndefined();
});

it('stays within the script', () => {
  expect(errorPlace('SELECT', 'File "stdin" line 1 col 99\nincomplete input')).toEqual({
    ...{ from: 6, to: 6, message: 'incomplete input' },
  });
});
