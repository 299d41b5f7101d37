/** Waits for a stream whose `write` returned false. */
export interface Drains {
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Resolves when the stream accepts more, or was closed, or `signal` is aborted. Removes its listeners. */
export function drained(stream: Drains, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
