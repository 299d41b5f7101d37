/** Ends unary calls with what a function returns, or with the error that it throws. */
import type * as grpc from '@grpc/grpc-js';
import { toServiceError } from '../../lib/common/grpc-errors.ts';

export async function respond<Response>(
  reply: grpc.sendUnaryData<Response>,
  work: () => Promise<Response> | Response,
): Promise<void> {
  try {
    reply(null, await work());
  } catch (error) {
    reply(toServiceError(error));
  }
}
