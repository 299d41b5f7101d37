import { expect, test } from 'vitest';
import { metadataOf } from './metadata.ts';

test('the verdict is partial if the engine counted errors, or a warning says that data is missing', () => {
  const verdict = (...rows: [string, bigint][]): string => metadataOf(rows).verdict;
  const [slices, loss] = [['#slice', 1n] as const, ['!traced_buf_patches_failed', 2n] as const];
  const cut: [string, bigint] = ['?incomplete: the trace ends within a packet', 1n];
  expect(verdict([...slices], ['?unknown packet field 134', 3n])).toBe('ok');
  expect(verdict([...slices], [...loss])).toBe('partial');
  expect(verdict([...slices], cut)).toBe('partial');
  expect(verdict(['duration', 0n], cut)).toBe('empty');
});
