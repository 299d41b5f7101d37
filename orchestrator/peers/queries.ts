/** Finds and cancels queries wherever they run. */
import type { CancelRequest, Progress, ProgressRequest } from '../../lib/proto/messages.ts';
import type { RunningQueries } from '../query/running-queries.ts';
import type { Peers } from './peers.ts';

interface Context {
  running: RunningQueries;
  peers: Peers;
}

/** Returns the progress of a query that this orchestrator or another one knows. */
export async function progressOf(
  { running, peers }: Context,
  { queryId, ownOnly }: ProgressRequest,
): Promise<Progress | undefined> {
  const own = running.progressOf(queryId);
  if (own !== undefined || ownOnly) return own;
  const others = await peers.responses((client) => client.progress(queryId, true));
  return others.find((progress) => progress !== undefined);
}

/** Cancels the queries with this ID on all orchestrators. @returns their number */
export async function cancelQueries(
  { running, peers }: Context,
  { queryId, ownOnly }: CancelRequest,
): Promise<number> {
  const own = running.cancel(queryId);
  const others = ownOnly ? [] : await peers.responses((client) => client.cancel(queryId, true));
  return others.reduce((sum, cancelled) => sum + cancelled, own);
}
