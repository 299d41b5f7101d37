/** Groups failures by reason: a fleet of broken traces reports the same error thousands of times. */
import type { FailureReason } from '../contract/console.ts';
import type { ConsoleFailure } from '../watch.ts';

const TRACES_SHOWN = 5;

/** Returns the most frequent reasons first. Messages that differ only in numbers or trace addresses are one reason. */
export function failureReasons(failures: Iterable<ConsoleFailure>, limit: number): FailureReason[] {
  const reasons = new Map<string, FailureReason & { ids: Set<string> }>();
  for (const failure of failures) {
    const { code, message, queryId, timeMs, trace } = failure;
    const key = `${code} ${kindOf(failure)}`;
    const empty = {
      code,
      message,
      count: 0,
      queries: 0,
      lastMs: 0,
      traces: [],
      ids: new Set<string>(),
    };
    const reason = reasons.get(key) ?? empty;
    reasons.set(key, reason);
    reason.count += 1;
    reason.ids.add(queryId);
    if (timeMs > reason.lastMs) Object.assign(reason, { lastMs: timeMs, message });
    const isNew = trace !== '' && !reason.traces.includes(trace);
    if (isNew && reason.traces.length < TRACES_SHOWN) reason.traces.push(trace);
  }
  return [...reasons.values()]
    .sort((a, b) => b.count - a.count || b.lastMs - a.lastMs)
    .slice(0, limit)
    .map(({ ids, ...reason }) => ({ ...reason, queries: ids.size }));
}

function kindOf({ message, trace }: ConsoleFailure): string {
  const general = trace === '' ? message : message.replaceAll(trace, '');
  return general.replace(/\[\/[^\]]*\]/g, '').replace(/\d+/g, '#');
}
