/** Works on several items of a listing at the same time, and returns the results in the order of the items. */

/** Requests to a store take turns; a few at a time hide most of their latency. */
const AHEAD_MAX = 8;

/**
 * Yields what `work` returns for each item of the batches. The signal that `work` receives aborts when the caller's
 * does, or when the caller leaves the loop.
 */
export async function* inOrder<Item, Result>(
  batches: AsyncIterable<readonly Item[]>,
  work: (item: Item, signal: AbortSignal) => Promise<readonly Result[]>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Result[], void, undefined> {
  const left = new AbortController();
  const until = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const ahead: Promise<readonly Result[]>[] = [];
  try {
    for await (const batch of batches)
      for (const item of batch) {
        const result = work(item, until);
        result.catch(() => {}); // it is thrown where the result is awaited
        ahead.push(result);
        if (ahead.length >= AHEAD_MAX) yield (await ahead.shift()) ?? [];
      }
    for (const result of ahead) yield await result;
  } finally {
    left.abort();
  }
}
