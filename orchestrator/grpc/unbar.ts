/** Handles `bigtrace.v1.Orchestrator.Unbar`: lifts the bars of traces on every worker. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { UnbarRequest, UnbarResponse } from '../../lib/proto/messages.ts';
import type { Fleet } from '../fleet/fleet.ts';

const ANSWER_MS_MAX = 5000;

/** @throws invalid_option unless the request has either traces or `all` */
export async function unbarOnWorkers(fleet: Fleet, request: UnbarRequest): Promise<UnbarResponse> {
  if (request.all === request.trace.length > 0)
    throw new BigtraceError('invalid_option', 'the request names no trace; set trace or all');
  const responses = await Promise.all(
    fleet.workers.map(async ({ address, client }) => {
      const response = await client.unbar(request, ANSWER_MS_MAX).catch(() => undefined);
      return { address, response };
    }),
  );
  return {
    lifted: responses.reduce((sum, { response }) => sum + (response?.lifted ?? 0), 0),
    unreached: responses.flatMap(({ address, response }) =>
      response === undefined ? address : [],
    ),
  };
}
