/** The list of workers: their load, what they hold, and where their results came from. */
import type { ConsoleWorker } from '../http-api/contract/console.ts';
import { type Card, CardList, element, setText } from './dom.ts';
import { bytes, count, duration, share } from './format.ts';

/** Sources of results, from fastest to slowest, with the gauges for what the worker holds for each. */
const TIERS = [
  { name: 'result', text: 'cached results', gauge: 'results_in_memory', size: 'results_bytes' },
  { name: 'loaded', text: 'loaded traces', gauge: 'loaded_traces', size: 'loaded_bytes' },
  { name: 'snapshot', text: 'snapshots', gauge: 'snapshots', size: 'snapshots_bytes' },
  { name: 'parse', text: 'parsed traces', gauge: undefined, size: undefined },
] as const;

const COUNTER_OF = {
  result: 'tier_result',
  loaded: 'tier_loaded',
  snapshot: 'tier_snapshot',
  parse: 'tier_parse',
} as const;

export function workerList() {
  return new CardList<ConsoleWorker>('workers', ({ address }) => address, workerCard);
}

function workerCard({ address }: ConsoleWorker): Card<ConsoleWorker> {
  const state = element('span', { class: 'state' });
  const up = element('span', { class: 'dim' });
  const head = element('div', { class: 'card-head' }, element('b', {}, address), state, up);
  const bar = element('progress', { max: 1, 'aria-label': `Busy threads of ${address}` });
  const load = element('span');
  const memory = element('span');
  const tiers = tierBar(address);
  const facts = element(
    'dl',
    { class: 'pairs' },
    ...[element('dt', {}, 'Threads'), element('dd', {}, bar, load)],
    ...[element('dt', {}, 'Memory'), element('dd', {}, memory)],
  );
  return {
    root: element('li', { 'data-worker': address }, head, facts, tiers.root),
    update: ({ state: now, status }) => {
      setText(state, now);
      state.dataset['state'] = now;
      facts.hidden = status === null;
      tiers.root.hidden = status === null;
      if (status === null) return setText(up, '');
      const { threads, tasksRunning, tasksQueued, uptimeMs, gauges, counters } = status;
      setText(up, `up ${duration(uptimeMs)}`);
      bar.value = share(tasksRunning, threads);
      setText(load, `${tasksRunning} of ${threads} busy, ${count(tasksQueued)} queued`);
      setText(memory, bytes(gauges['rss_bytes'] ?? 0));
      tiers.update(counters, gauges);
    },
  };
}

/** Shows how many results came from each source, and how much the worker holds for it. */
function tierBar(address: string) {
  const parts = TIERS.map(({ name }) => element('i', { 'data-tier': name }));
  const bar = element('div', { class: 'tiers', role: 'img' }, ...parts);
  const entries = TIERS.map(({ name }) => {
    const term = element('dt', {}, element('i', { 'data-tier': name }), name);
    const [results, size] = [element('b'), element('span', { class: 'dim' })];
    return {
      root: element('div', {}, term, element('dd', {}, results, size)),
      answers: results,
      size,
    };
  });
  const legend = element('dl', { class: 'legend' }, ...entries.map(({ root }) => root));
  return {
    root: element('div', {}, bar, legend),
    update: (counters: Record<string, number>, gauges: Record<string, number>) => {
      const sources = TIERS.map((tier, at) => {
        const results = counters[COUNTER_OF[tier.name]] ?? 0;
        const [part, entry] = [parts[at], entries[at]];
        if (part !== undefined) part.style.flexGrow = String(results);
        if (entry !== undefined) setText(entry.answers, count(results));
        if (entry !== undefined && tier.gauge !== undefined) {
          setText(entry.size, bytes(gauges[tier.size] ?? 0));
          entry.root.title = `${count(gauges[tier.gauge] ?? 0)} ${tier.text}`;
        }
        return `${count(results)} from ${tier.text}`;
      });
      bar.setAttribute('aria-label', `Results of ${address}: ${sources.join(', ')}`);
    },
  };
}
