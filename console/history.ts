/** The list of earlier queries sent over HTTP: opens their rows, or deletes them. */
import type { WireExecution } from '../http-api/contract/page.ts';
import { api } from './api.ts';
import { button, type Card, CardList, element, setText } from './dom.ts';
import { ago, costTexts, counted, duration, oneLine } from './format.ts';

const SQL_CHARS = 200;

export interface HistoryActions {
  open(execution: WireExecution): Promise<void>;
  failed(error: unknown): void;
  changed(): void;
}

export function historyList(actions: HistoryActions) {
  return new CardList<WireExecution>(
    'history',
    ({ queryUuid }) => queryUuid,
    (execution) => historyCard(execution, actions),
  );
}

function historyCard({ queryUuid, perfettoSql }: WireExecution, actions: HistoryActions) {
  const state = element('span', { class: 'state' });
  const code = element(
    'code',
    { class: 'sql-line', title: perfettoSql },
    oneLine(perfettoSql, SQL_CHARS),
  );
  const open = button('Open', `Open the rows of query ${queryUuid}`, async () => {
    // The list has only the beginning of a long script.
    await api.execution(queryUuid).then(actions.open, actions.failed);
  });
  const remove = button('Delete', `Delete query ${queryUuid} and its table`, async () => {
    await api.remove(queryUuid).catch(actions.failed);
    actions.changed();
  });
  const line = element('span', { class: 'facts' });
  const head = element('div', { class: 'card-head' }, code, open, remove);
  const root = element('li', { 'data-execution': queryUuid }, head, element('p', {}, state, line));
  const card: Card<WireExecution> = {
    root,
    update: (execution) => {
      const { status, processedRows, startTime, endTime, expireTime, cost } = execution;
      const startMs = Date.parse(startTime);
      setText(state, status.toLowerCase().replace('_', ' '));
      state.dataset['state'] = status;
      remove.hidden = status === 'IN_PROGRESS';
      const took = endTime === undefined ? [] : [duration(Date.parse(endTime) - startMs)];
      const kept = expireTime === undefined ? [] : [`kept until ${expireTime.slice(0, 10)}`];
      const spent = cost === undefined ? [] : costTexts(cost);
      const when = ago(startMs, Date.now());
      const facts = [counted(processedRows, 'row'), ...took, ...spent, when, ...kept];
      setText(line, facts.join(' · '));
      root.title = execution.errorMessage ?? '';
    },
  };
  return card;
}
