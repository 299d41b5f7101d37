/** Messages about failed traces and queries, as the orchestrators recorded them. */
import { onOneLine } from '../../lib/common/text/one-line.ts';
import type { Execution } from '../queries/history.ts';
import type { QueryWatch } from '../watch.ts';

const FAILURES_SHOWN = 3;
/** Reported for a lenient query of which no reachable orchestrator knows the failures. */
const FAILURES_UNKNOWN =
  'no orchestrator that could be reached knows this query, so some traces may have failed (see bigtrace.failures)';

/** Message about the traces that failed; empty if none did. */
export async function failureText(
  watch: Pick<QueryWatch, 'counts' | 'failures'>,
  { uuid }: Pick<Execution, 'uuid'>,
): Promise<string> {
  const counts = await watch.counts(uuid);
  if (counts === undefined) return FAILURES_UNKNOWN;
  const { tracesFailed: failed, tracesTotal } = counts;
  if (failed === 0) return '';
  const failures = (await watch.failures(uuid, FAILURES_SHOWN)).join('; ');
  return `${failed} of ${tracesTotal} traces failed: ${failures}${failed > FAILURES_SHOWN ? '; …' : ''}`;
}

/** Returns the message as an orchestrator recorded it, with its lines: the bridge joined them for ClickHouse. */
export async function inLines(
  watch: Pick<QueryWatch, 'failures'>,
  { uuid }: Pick<Execution, 'uuid'>,
  message: string,
): Promise<string> {
  const recorded = await watch.failures(uuid, Number.POSITIVE_INFINITY);
  return recorded.findLast((text) => onOneLine(text) === message) ?? message;
}
