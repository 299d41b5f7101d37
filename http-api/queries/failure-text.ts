/** Messages about failed traces and queries, as the orchestrators recorded them. */
import type { QueryWatch } from '../watch.ts';
import type { Execution } from './history.ts';

const FAILURES_SHOWN = 3;
const FAILURES_SEARCHED = 100;
/** Reported for a lenient query of which no reachable orchestrator knows the failures. */
const FAILURES_UNKNOWN =
  'no orchestrator that could be reached knows this query, so some traces may have failed (see bigtrace.failures)';

/** Message about the traces that failed; empty if none did. */
export async function failureText(watch: QueryWatch, { uuid }: Execution): Promise<string> {
  const counts = await watch.counts(uuid);
  if (counts === undefined) return FAILURES_UNKNOWN;
  const { tracesFailed: failed, tracesTotal } = counts;
  if (failed === 0) return '';
  const failures = (await watch.failures(uuid, FAILURES_SHOWN)).join('; ');
  return `${failed} of ${tracesTotal} traces failed: ${failures}${failed > FAILURES_SHOWN ? '; …' : ''}`;
}

/** Returns the orchestrator's version of the message if it has one: ClickHouse joins the lines of an error. */
export async function inLines(
  watch: QueryWatch,
  { uuid }: Execution,
  message: string,
): Promise<string> {
  const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
  const recorded = await watch.failures(uuid, FAILURES_SEARCHED);
  return recorded.find((text) => flat(text) === flat(message)) ?? message;
}
