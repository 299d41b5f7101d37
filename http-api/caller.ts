/** The client that waits for the response of a request: what is done for it ends when it has left. */
import type { FastifyReply } from 'fastify';
import type { CallOptions, ClickHouse } from '../lib/clickhouse/client.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import { callerOf } from './login/caller.ts';

/** Limit of a read that a client waits for, in milliseconds. */
const READ_MS_MAX = 600_000;

/** The callers that the signals of `signalOf` stand for. */
const callers = new WeakMap<AbortSignal, string>();

/** Returns a signal that is aborted when the client disconnects before the response has ended. */
export function signalOf({ raw, request }: FastifyReply): AbortSignal {
  const left = new AbortController();
  raw.on('close', () => {
    if (!raw.writableFinished) left.abort(new BigtraceError('cancelled', 'the client has left'));
  });
  callers.set(left.signal, callerOf(request).user);
  return left.signal;
}

/** The options of a call for the client that a signal of `signalOf` stands for. */
export function callOf(signal: AbortSignal): CallOptions {
  return { signal, user: callers.get(signal) ?? '', executionMsMax: READ_MS_MAX };
}

/** The part of the ClickHouse client that reads. */
export type Reader = Pick<ClickHouse, 'rows' | 'count'>;

/**
 * Returns the same reader, whose queries end in ClickHouse when the signal is aborted. All callers have one ClickHouse
 * user; the bound on queries that ClickHouse has not ended counts for each caller.
 * @param signal one of `signalOf`
 */
export function readerFor(reader: Reader, signal: AbortSignal): Reader {
  const within = (options: CallOptions = {}): CallOptions => ({ ...callOf(signal), ...options });
  return {
    rows: (query, options) => reader.rows(query, within(options)),
    count: (query, options) => reader.count(query, within(options)),
  };
}
