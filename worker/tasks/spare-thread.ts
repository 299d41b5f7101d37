/** Asks an engine thread of its own, which has no trace, and ends the thread. */
import { Worker } from 'node:worker_threads';
import type { Engine } from '../../lib/engine/index.ts';
import { interruptEngine } from '../engines/thread-call.ts';
import {
  GATE_BYTES,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
} from '../engines/thread-protocol.ts';

export interface SpareThreadParts {
  engine: Engine;
  threadEntry: URL;
}

/**
 * Resolves, when the thread has ended, to its reply; to undefined if it did not reply within `msMax`.
 * @throws the signal's reason
 */
export function askSpareThread(
  { engine, threadEntry }: SpareThreadParts,
  request: ThreadRequest,
  msMax: number,
  signal?: AbortSignal,
): Promise<ThreadReply | undefined> {
  const gate = new Int32Array(new SharedArrayBuffer(GATE_BYTES));
  const data: ThreadData = { engine, gate: gate.buffer };
  const thread = new Worker(threadEntry, { workerData: data });
  thread.unref();
  return new Promise((resolve, reject) => {
    let reply: ThreadReply | undefined;
    const end = (): void => {
      interruptEngine(engine, gate);
      void thread.terminate();
    };
    const timer = setTimeout(end, msMax);
    signal?.addEventListener('abort', end, { once: true });
    thread.once('message', (message: ThreadReply) => {
      reply = message;
      end();
    });
    thread.on('error', end);
    thread.once('exit', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else resolve(reply);
    });
    thread.postMessage(request);
  });
}
