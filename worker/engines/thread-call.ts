/** Defines a call to an engine thread: the thread's replies while it runs, and the reply that ends it. */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import { allowInstance, type Engine, interruptInstance } from '../../lib/engine/index.ts';
import { GATE, type ThreadReply } from './thread-protocol.ts';

/** Replies during a call; every other reply ends it. */
export type ProgressReply = Extract<ThreadReply, { type: 'appended' | 'result' }>;
export type FinalReply = Exclude<ThreadReply, ProgressReply>;

export interface Call {
  onProgress: (reply: ProgressReply) => void;
  /** Whether the outcome is still needed; false once the call was settled or abandoned. */
  active: boolean;
  settle: (outcome: { reply: FinalReply } | { thrown: unknown }) => void;
  /** Resolves when the thread has ended the call, or has ended itself. */
  closed: Promise<void>;
  close: () => void;
}

/** Narrows a reply to the expected type. @throws Error if it has another type, which is a bug */
export function expected<Type extends FinalReply['type']>(
  reply: FinalReply,
  type: Type,
): Extract<FinalReply, { type: Type }> {
  if (reply.type !== type) throw new Error(`the thread replied ${reply.type} instead of ${type}`);
  return reply as Extract<FinalReply, { type: Type }>;
}

export function failure({ code, detail }: { code: string; detail: string }): BigtraceError {
  return new BigtraceError(isErrorCode(code) ? code : 'internal', detail);
}

export function crashed(reason: string): BigtraceError {
  return new BigtraceError('engine_crashed', `the engine stopped: ${reason}`);
}

/**
 * Makes what the engine of a thread executes, and every later call, end with an error, until `allowEngine`. V8's code
 * ends with the thread and needs no interruption; machine code does.
 */
export function interruptEngine({ code }: Engine, gate: Int32Array): void {
  interruptInstance(code, Atomics.load(gate, GATE.INTERRUPT_ID));
}

export function allowEngine({ code }: Engine, gate: Int32Array): void {
  allowInstance(code, Atomics.load(gate, GATE.INTERRUPT_ID));
}
