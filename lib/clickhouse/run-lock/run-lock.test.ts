import { expect, test } from 'vitest';
import { BigtraceError } from '../../common/errors.ts';
import { type RunLock, reasonOf } from './run-lock.ts';

const held: RunLock = { newRun: async () => '1', check: async () => {}, release: async () => {} };
const lostError = new BigtraceError('catalog_failed', 'the lock is lost');
const lost: RunLock = { ...held, check: () => Promise.reject(lostError) };

async function textOf(error: unknown, lock: RunLock | undefined): Promise<string> {
  return String(((await reasonOf(error, lock)) as Error).message);
}

test('a run says why it failed, and that its lock was lost', async () => {
  const first = new BigtraceError('type_mismatch', 'column n does not fit');
  expect(await reasonOf(first, held)).toBe(first);
  expect(await reasonOf(first, undefined)).toBe(first);
  expect(await textOf(first, lost)).toBe(
    'the lock is lost; the run ended with: column n does not fit',
  );
  expect(await textOf(new BigtraceError('cancelled', 'stopped'), lost)).toBe('the lock is lost');
  expect(await textOf(lostError, lost)).toBe('the lock is lost');
});
