/** Waits for the engine with 64-bit memory. */
import type { Engine, WideEngine } from '../../../lib/engine/index.ts';

/** Returns the engine with 64-bit memory, which may have to be loaded first. @throws the signal's reason at once */
export function untilWideEngine(
  wide: WideEngine | undefined,
  signal: AbortSignal,
): Promise<Engine | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    const engine = Promise.resolve(wide?.engine());
    void engine.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
