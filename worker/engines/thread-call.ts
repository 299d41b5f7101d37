/** Defines a call to an engine thread: the thread's replies while it runs, and the reply that ends it. */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import type { ThreadReply } from './thread-protocol.ts';

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
