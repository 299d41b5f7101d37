/** Workers: what they have to do, what they hold, and where their answers came from. */
import type { WorkerSeen } from './api.ts';
import { type Card, CardList, element, setText } from './dom.ts';
import { bytes, count, counted, duration, share } from './format.ts';

/** From the quickest to the slowest. */
const TIERS = [
  { name: 'result', text: 'remembered result' },
  { name: 'resident', text: 'trace in memory' },
  { name: 'image', text: 'image on disk' },
  { name: 'parse', text: 'parsed' },
] as const;

export function workerList() {
  return new CardList<WorkerSeen>('workers', ({ address }) => address, workerCard);
}

function workerCard({ address }: WorkerSeen): Card<WorkerSeen> {
  const state = element('span', { class: 'state' });
  const up = element('span', { class: 'dim' });
  const head = element('div', { class: 'card-head' }, element('b', {}, address), state, up);
  const bar = element('progress', { max: 1, 'aria-label': `Busy threads of ${address}` });
  const load = element('span');
  const memory = element('span');
  const cache = element('span');
  const tiers = tierBar(address);
  const facts = element(
    'dl',
    { class: 'pairs' },
    ...[element('dt', {}, 'Threads'), element('dd', {}, bar, load)],
    ...[element('dt', {}, 'Memory'), element('dd', {}, memory)],
    ...[element('dt', {}, 'Cache'), element('dd', {}, cache)],
    ...[element('dt', {}, 'Answers'), element('dd', {}, tiers.root)],
  );
  return {
    root: element('li', { 'data-worker': address }, head, facts),
    update: ({ state: now, status }) => {
      setText(state, now);
      state.dataset['state'] = now;
      facts.hidden = status === null;
      if (status === null) return setText(up, '');
      const { threads, tasksRunning, tasksQueued, uptimeMs, gauges, counters } = status;
      setText(up, `up ${duration(uptimeMs)}`);
      bar.value = share(tasksRunning, threads);
      setText(load, `${tasksRunning} of ${threads} busy, ${count(tasksQueued)} queued`);
      setText(memory, bytes(gauges['rss_bytes'] ?? 0));
      setText(cache, cacheText(gauges));
      tiers.update(counters);
    },
  };
}

function cacheText(gauges: Record<string, number>): string {
  const of = (name: string) => gauges[name] ?? 0;
  return [
    `${counted(of('resident_traces'), 'trace')} ${bytes(of('resident_bytes'))}`,
    `${counted(of('images'), 'image')} ${bytes(of('images_bytes'))}`,
    `${counted(of('results_remembered'), 'result')} ${bytes(of('results_bytes'))}`,
  ].join(' · ');
}

/** How many answers came from where, as a bar of parts. */
function tierBar(address: string) {
  const parts = TIERS.map(({ name }) => element('i', { 'data-tier': name }));
  const bar = element('div', { class: 'tiers', role: 'img' }, ...parts);
  const legend = element('div', { class: 'legend' });
  const entries = TIERS.map(({ name, text }) => {
    const number = element('span', {}, '0');
    legend.append(
      element('span', { title: text }, element('i', { 'data-tier': name }), `${name} `, number),
    );
    return number;
  });
  return {
    root: element('div', {}, bar, legend),
    update: (counters: Record<string, number>) => {
      const values = TIERS.map(({ name }) => counters[`tier_${name}`] ?? 0);
      values.forEach((value, at) => {
        const [part, entry] = [parts[at], entries[at]];
        if (part !== undefined) part.style.flexGrow = String(value);
        if (entry !== undefined) setText(entry, count(value));
      });
      const told = TIERS.map(({ text }, at) => `${count(values[at] ?? 0)} ${text}`).join(', ');
      bar.setAttribute('aria-label', `Answers of ${address}: ${told}`);
    },
  };
}
