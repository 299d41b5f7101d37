/** The list of running queries of all users, with a cancel button for each. */
import type { ConsoleQuery, ConsoleTrace } from '../http-api/contract/console.ts';
import { api } from './api.ts';
import { button, type Card, CardList, element, setText } from './dom.ts';
import { costTexts, count, counted, duration, oneLine, share } from './format.ts';

const SQL_CHARS = 300;
/** Number of running traces shown per query: those that have been assigned to workers for longest. */
const RUNNING_SHOWN = 3;

/** @param changed called after a query was cancelled */
export function queryList(failed: (error: unknown) => void, changed: () => void) {
  return new CardList<ConsoleQuery>(
    'queries',
    ({ queryId, startedMs }) => `${queryId} ${startedMs}`,
    (query) => queryCard(query, failed, changed),
  );
}

function queryCard(
  { queryId, sql }: ConsoleQuery,
  failed: (error: unknown) => void,
  changed: () => void,
): Card<ConsoleQuery> {
  const shown = oneLine(sql, SQL_CHARS);
  const bar = element('progress', { max: 1, 'aria-label': `Traces of query ${queryId}` });
  const line = element('p', { class: 'facts' });
  const cancel = button('Cancel', `Cancel query ${queryId}`, async () => {
    await api.cancel(queryId).catch(failed);
    changed();
  });
  const code = element('code', { class: 'sql-line', title: sql }, shown);
  const head = element('div', { class: 'card-head' }, code, cancel);
  const running = element('p', { class: 'facts dim' });
  const root = element('li', { 'data-query': queryId }, head, bar, line, running);
  return {
    root,
    update: ({ progress, user, findsColumns }) => {
      const { tracesDone = 0, tracesFailed = 0, tracesTotal = 0 } = progress ?? {};
      // Without a value the bar is indeterminate.
      if (tracesTotal === 0) bar.removeAttribute('value');
      else bar.value = share(tracesDone + tracesFailed, tracesTotal);
      const parts = [findsColumns ? 'finds its columns' : '', factsOf(progress), user];
      setText(line, parts.filter(Boolean).join(' · '));
      setText(
        running,
        (progress?.running ?? []).slice(0, RUNNING_SHOWN).map(runningText).join(' · '),
      );
    },
  };
}

const PHASES: Record<string, string> = {
  QUEUED: 'queued',
  READING: 'being read',
  PARSING: 'being parsed',
  RUNNING_SQL: 'running SQL',
};

function runningText({ trace, phase, phaseMs, worker }: ConsoleTrace): string {
  return `${trace}: ${PHASES[phase] ?? phase} for ${duration(phaseMs)} on ${worker}`;
}

function factsOf(progress: ConsoleQuery['progress']): string {
  if (progress === null) return 'begins';
  const { tracesDone, tracesFailed, tracesTotal, totalIsFinal, rows, elapsedMs } = progress;
  const ended = tracesDone + tracesFailed;
  const facts = [
    `${count(ended)} of ${totalIsFinal ? '' : 'at least '}${counted(tracesTotal, 'trace')}`,
    ...(tracesFailed > 0 ? [`${count(tracesFailed)} failed`] : []),
    counted(rows, 'row'),
    duration(elapsedMs),
    ...costTexts(progress),
    ...(totalIsFinal && ended > 0 && ended < tracesTotal
      ? [`${duration((elapsedMs / ended) * (tracesTotal - ended))} left`]
      : []),
  ];
  return facts.join(' · ');
}
