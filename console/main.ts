/** The console: creates its parts and keeps them up to date. */
import './style.css';
import './panels.css';
import type { ConsoleState } from '../http-api/contract/console.ts';
import type { WireExecution } from '../http-api/contract/page.ts';
import { api } from './api.ts';
import { byId, element, linkTo, setText } from './dom.ts';
import { failureList } from './failures.ts';
import { count } from './format.ts';
import { historyList } from './history.ts';
import { requireLogin, showLogin } from './login/login.ts';
import { Session } from './login/session.ts';
import { queryList } from './queries.ts';
import { QueryForm } from './query-form.ts';
import { Results } from './results/results.ts';
import { startTheme } from './theme.ts';
import { workerList } from './workers.ts';

const STATE_MS = 1000;
const SLOW_MS = 4000;
const TROUBLE_MS = 8000;
const HISTORY_SHOWN = 15;

const trouble = byId('trouble', HTMLParagraphElement);
let troubleUntilMs = 0;

function failed(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  setText(trouble, text);
  trouble.hidden = false;
  troubleUntilMs = Date.now() + TROUBLE_MS;
}

const results = new Results(failed);
const session = new Session(failed);
const queryForm = new QueryForm({
  started: () => results.clear(),
  ended: (uuid) => {
    results.ended();
    if (uuid !== undefined) void api.execution(uuid).then((one) => session.show(one), failed);
    void refreshSlow().catch(failed);
  },
  rows: async (uuid) => {
    if (results.isOf(uuid)) await results.refresh();
    else await results.open(await api.execution(uuid));
  },
  failed,
});
const workers = workerList();
const failures = failureList();
const queries = queryList(failed, () => void refreshState().catch(failed));
const history = historyList({
  open: async (execution: WireExecution) => {
    queryForm.show(execution);
    session.show(execution);
    await results.open(execution);
  },
  failed,
  changed: () => void refreshSlow().catch(failed),
});

async function refreshState(): Promise<void> {
  const state = await api.state();
  if (Date.now() > troubleUntilMs) trouble.hidden = true;
  showTotals(state);
  queries.show(state.queries);
  workers.show(state.workers);
}

async function refreshSlow(): Promise<void> {
  const [{ reasons }, { queryExecutions }] = await Promise.all([api.failures(), api.executions()]);
  failures.show(reasons);
  const ended = queryExecutions.filter(({ status }) => status !== 'IN_PROGRESS');
  history.show(ended.slice(0, HISTORY_SHOWN));
}

function showTotals(state: ConsoleState): void {
  setText(byId('version', HTMLElement), state.version);
  const ready = state.workers.filter(({ state: now }) => now === 'ready').length;
  const totals: [string, string][] = [
    ['workers', `${ready} of ${state.workers.length}`],
    ['queries', count(state.queries.length)],
    ['traces with workers', count(state.tracesInFlight)],
    ['waiting', count(state.tracesWaiting)],
  ];
  const shown = totals.flatMap(([name, value]) => [
    element('dt', {}, name),
    element('dd', {}, value),
  ]);
  byId('tallies', HTMLElement).replaceChildren(...shown);
  const links = byId('links', HTMLElement);
  if (links.querySelector('a') !== null) return;
  links.append(element('a', { href: 'catalog.html' }, 'Catalog'));
  links.append(linkTo(`${state.clickhouseUrl}/play`, 'ClickHouse'));
  if (state.supersetUrl !== undefined) links.append(linkTo(state.supersetUrl, 'Superset'));
  links.append(linkTo(state.bigtraceUi ?? bigtraceUi(), 'BigTrace UI'));
}

/** The BigTrace page of Perfetto's own UI, for this service. */
function bigtraceUi(): string {
  const here = new URL('.', location.href).href.replace(/\/$/, '');
  return `https://ui.perfetto.dev/bigtrace.html?server=${encodeURIComponent(here)}`;
}

/** Calls `refresh` repeatedly, one call at a time, while the page is visible. */
async function refreshForever(refresh: () => Promise<void>, everyMs: number): Promise<never> {
  for (;;) {
    if (!document.hidden) await refresh().catch(failed);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

startTheme();
requireLogin();
showLogin('links').catch(failed);
queryForm.loadPresets().catch(failed);
queryForm.loadVocabulary().catch(failed);
void refreshForever(refreshState, STATE_MS);
void refreshForever(refreshSlow, SLOW_MS);
