import { expect, test } from 'vitest';
import { isHung, NO_SILENCE, type Silence, silenceAfter } from './liveness.ts';

/** After pings: `.` answered, `s` not answered by one that does not compute, `b` by one that does. */
function after(pings: string): Silence {
  return [...pings].reduce(
    (silence, ping) => silenceAfter(silence, ping === '.', ping === 'b' ? 4_000 : 30),
    NO_SILENCE,
  );
}

test.each(['', 's', 'ss', 'ss.ss', 'bb', 'bbbbbbbbbbbbbb', 'bsbsb', 'bbbbbbbbbbbbbb.bbbb'])(
  '%j: not yet',
  (pings) => expect(isHung(after(pings))).toBe(false),
);

test.each(['sss', '..sss', 'bsss', 'sbsbs', 'bbbbbbbbbbbbbbb'])('%j: it hangs', (pings) => {
  expect(isHung(after(pings))).toBe(true);
});
