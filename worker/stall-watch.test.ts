import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StallWatch, stallMs } from './stall-watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('tells when the parser got no further for too long', () => {
  const onStall = vi.fn();
  const watch = new StallWatch(onStall);
  watch.restart(79);
  vi.advanceTimersByTime(stallMs(79) - 1);
  expect(onStall).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onStall).toHaveBeenCalledOnce();
  expect(onStall.mock.calls[0]?.[0]).toMatchObject({
    code: 'deadline_exceeded',
    detail: 'TraceProcessor got no further with the trace for 60 s',
  });
});

test('neither while it gets on, nor when it has nothing to do', () => {
  const onStall = vi.fn();
  const watch = new StallWatch(onStall);
  for (let step = 0; step < 3; step++) {
    watch.restart(0);
    vi.advanceTimersByTime(stallMs(0) - 1);
  }
  watch.stop();
  vi.advanceTimersByTime(10 * stallMs(0));
  expect(onStall).not.toHaveBeenCalled();
});

test('a larger trace may take longer', () => {
  expect(stallMs(4 * 2 ** 30)).toBeGreaterThan(70 * stallMs(0));
});
