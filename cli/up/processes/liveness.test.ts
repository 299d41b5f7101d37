import { expect, test } from 'vitest';
import { isHung, NO_SILENCE, type Silence, silenceAfter } from './liveness.ts';

/**
 * Silence after a sequence of pings: `.` answered, `s` not answered without computing, `b` not answered while
 * computing.
 */
function after(pings: string): Silence {
  return [...pings].reduce(
    (silence, ping) => silenceAfter(silence, ping === '.', ping === 'b' ? 4_000 : 30),
    NO_SILENCE,
  );
}

test.each(['', 's', 'ss', 'ss.ss', 'bb', 'bbbbbbbbbbbbbb', 'bsbsb', 'bbbbbbbbbbbbbb.bbbb'])(
  '%j is not a hang yet',
  (pings) => expect(isHung(after(pings))).toBe(false),
);

test.each(['sss', '..sss', 'bsss', 'sbsbs', 'bbbbbbbbbbbbbbb'])('%j is a hang', (pings) => {
  expect(isHung(after(pings))).toBe(true);
});
