import { expect, test } from 'vitest';
import { ReadAhead } from './read-ahead.ts';

/** A source of 10-byte chunks that counts how many were requested. */
function source(chunks: number, failure?: Error) {
  const state = { asked: 0, left: false };
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (; state.asked < chunks; ) {
        state.asked++;
        yield new Uint8Array(10).fill(state.asked);
      }
      if (failure !== undefined) throw failure;
    } finally {
      state.left = true;
    }
  }
  return { state, read: read() };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('all chunks arrive in order', async () => {
  const ahead = new ReadAhead(() => source(100).read, 25);
  const seen: number[] = [];
  for await (const chunk of ahead) seen.push(chunk[0] ?? 0);
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  await ahead.done;
});

test('no more is read ahead than the limit allows', async () => {
  const { state, read } = source(100);
  const ahead = new ReadAhead(() => read, 25);
  await settled();
  expect(state.asked).toBe(3);
  for await (const _ of ahead) break;
  await ahead.done;
  expect(state.left).toBe(true);
});

test('a failure is thrown after the chunks that preceded it', async () => {
  const ahead = new ReadAhead(() => source(2, new Error('cut')).read, 1000);
  await ahead.done;
  const seen: number[] = [];
  const all = (async () => {
    for await (const chunk of ahead) seen.push(chunk[0] ?? 0);
  })();
  await expect(all).rejects.toThrow('cut');
  expect(seen).toEqual([1, 2]);
});

test('closing an unread ReadAhead ends the source', async () => {
  const { state, read } = source(100);
  const ahead = new ReadAhead(() => read, 25);
  await settled();
  ahead.close();
  await ahead.done;
  expect(state.left).toBe(true);
});

test('closing aborts a source that does not respond', async () => {
  let readSignal: AbortSignal | undefined;
  async function* silent(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    readSignal = signal;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  const ahead = new ReadAhead(silent, 25);
  ahead.close();
  await ahead.done;
  expect(readSignal?.reason).toMatchObject({ code: 'cancelled' });
});
