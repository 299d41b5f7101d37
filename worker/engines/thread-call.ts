/** A call to an engine thread: what the thread replies while it runs, and what ends it. */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import type { ThreadReply } from './thread-protocol.ts';

/** Replies that come while a call is running; all others close it. */
export type Passing = Extract<ThreadReply, { type: 'appended' | 'result' }>;
export type Closing = Exclude<ThreadReply, Passing>;

export interface Call {
  onPassing: (reply: Passing) => void;
  /** Whether somebody still wants the outcome. */
  wanted: boolean;
  settle: (outcome: { reply: Closing } | { thrown: unknown }) => void;
  /** Resolves when the thread has closed the call, or ended. */
  closed: Promise<void>;
  close: () => void;
}

export function expected<Type extends Closing['type']>(
  reply: Closing,
  type: Type,
): Extract<Closing, { type: Type }> {
  if (reply.type !== type) throw new Error(`the thread said ${reply.type} instead of ${type}`);
  return reply as Extract<Closing, { type: Type }>;
}

export function failure({ code, detail }: { code: string; detail: string }): BigtraceError {
  return new BigtraceError(isErrorCode(code) ? code : 'internal', detail);
}

export function crashed(why: string): BigtraceError {
  return new BigtraceError('engine_crashed', `the engine stopped: ${why}`);
}
