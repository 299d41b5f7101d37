/** Asks an engine thread of its own, which has no trace, and ends the thread. */
import { Worker } from 'node:worker_threads';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Engine, SqlPackage } from '../../lib/engine/index.ts';
import { failure, interruptEngine } from '../engines/thread-call.ts';
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
    thread.postMessage([request]);
  });
}

const LOAD_MS_MAX = 120_000;

/**
 * Loads an engine from its wasm file: that takes the processor for a second, while the main thread answers others.
 * @throws BigtraceError invalid_option: the file cannot be used
 */
export async function loadInThread(
  parts: SpareThreadParts,
  file: string,
  packages: readonly SqlPackage[],
): Promise<Engine> {
  const request = { type: 'loadEngine', file, packages } as const;
  const reply = await askSpareThread(parts, request, LOAD_MS_MAX);
  if (reply?.type === 'engineLoaded') return reply.engine;
  if (reply?.type === 'failed') throw failure(reply);
  const seconds = LOAD_MS_MAX / 1000;
  const why = `the thread that loads it ended, or took more than ${seconds} s`;
  throw new BigtraceError('internal', `${file} was not loaded: ${why}`);
}
