/** The list of recent failures of traces and queries, by reason. */
import type { FailureReason } from '../http-api/contract/console.ts';
import { type Card, CardList, element, setText } from './dom.ts';
import { ago, counted } from './format.ts';

export function failureList() {
  return new CardList<FailureReason>(
    'failures',
    ({ code, message }) => `${code} ${message}`,
    failureCard,
  );
}

function failureCard({ code, message }: FailureReason): Card<FailureReason> {
  const number = element('span', { class: 'number' });
  const time = element('span', { class: 'dim' });
  const traces = element('ul', { class: 'traces' });
  const text = element('p', { class: 'message' }, message);
  const more = element('details', {}, element('summary', {}, 'Traces'), traces);
  const head = element('div', { class: 'card-head' }, element('code', {}, code), number, time);
  let listed = '';
  return {
    root: element('li', { 'data-code': code }, head, text, more),
    update: ({ count, queries, lastMs, traces: failed }) => {
      setText(number, `${count}×`);
      number.title = `in ${counted(queries, 'query')}`;
      setText(time, ago(lastMs, Date.now()));
      more.hidden = failed.length === 0;
      if (listed === failed.join('\n')) return;
      listed = failed.join('\n');
      traces.replaceChildren(...failed.map((trace) => element('li', {}, trace)));
    },
  };
}
