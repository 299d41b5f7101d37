import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LoadWatch, loadMsMax } from './load-watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const BOUND = { minMs: 1000, bytesPerSecond: 1000 };

function watched(traceBytes: number | undefined, cpuMs: () => number | undefined) {
  const onOver = vi.fn();
  const options = { bound: BOUND, traceBytes, cpuMs, onOver };
  return { onOver, watch: new LoadWatch(options) };
}

test('a load that exceeds the time for its size is ended, with an error that names size, limit and options', async () => {
  const { onOver, watch } = watched(500, () => undefined);
  watch.busy(79);
  await vi.advanceTimersByTimeAsync(1499);
  expect(onOver).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(onOver).toHaveBeenCalledOnce();
  expect(onOver.mock.calls[0]?.[0]).toMatchObject({
    code: 'deadline_exceeded',
    detail:
      'TraceProcessor had not loaded this trace of 500 bytes after 1500 ms, the bound for its size ' +
      '(1000 ms by --load-time, and 1 s for every 1000 bytes by --load-rate)',
  });
});

test('time in which the parser waits for bytes does not count', async () => {
  const { onOver, watch } = watched(undefined, () => undefined);
  for (let chunk = 0; chunk < 9; chunk++) {
    watch.busy(0);
    await vi.advanceTimersByTimeAsync(100);
    watch.idle();
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(onOver).not.toHaveBeenCalled();
  watch.busy(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(onOver).toHaveBeenCalledOnce();
});

test('on a busy machine processor time counts, not elapsed time', async () => {
  const { onOver, watch } = watched(0, () => performance.now() / 10);
  watch.busy(0);
  await vi.advanceTimersByTimeAsync(9900);
  expect(onOver).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(onOver).toHaveBeenCalledOnce();
});

test('a load that ended in time is not reported', async () => {
  const { onOver, watch } = watched(0, () => undefined);
  watch.busy(0);
  watch.idle();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([onOver.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
});

test('a larger trace has more time', () => {
  expect(loadMsMax(BOUND, 4 * 2 ** 30)).toBeGreaterThan(1000 * loadMsMax(BOUND, 0));
});
