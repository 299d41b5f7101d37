/** The page of the catalog: filters its traces, picks some, and takes them to the console. */
import '../style.css';
import '../panels.css';
import type { WireColumn, WireRow } from '../../http-api/contract/page.ts';
import { api } from '../api.ts';
import { byId, setText } from '../dom.ts';
import { counted } from '../format.ts';
import { BLOCK_ROWS } from '../grid/blocks.ts';
import { Grid, type Order } from '../grid/grid.ts';
import { requireLogin, showLogin } from '../login/login.ts';
import { saveQuestion } from '../question.ts';
import { startTheme } from '../theme.ts';
import { chosenTraces } from './addresses.ts';

const where = byId('where', HTMLInputElement);
const ask = byId('ask', HTMLButtonElement);
const trouble = byId('trouble', HTMLParagraphElement);
const picked = new Set<string>();
let columns: WireColumn[] = [];
let order: Order | undefined;
/** The filter of the rows that are shown. */
let filter = '';

function failed(error: unknown): void {
  setText(trouble, error instanceof Error ? error.message : String(error));
  trouble.hidden = false;
}

function fetchRows(limit: number, offset: number) {
  return api.traces({
    ...{ limit, offset, columns: columns.map(({ name }) => name) },
    settings: [{ setting_id: 'where', values: filter === '' ? [] : [filter] }],
    ...(order && { order_by: `${order.column} ${order.descending ? 'desc' : 'asc'}` }),
  });
}

const addressOf = ({ values }: WireRow): string =>
  values[columns.findIndex(({ name }) => name === 'address')] ?? '';

const grid = new Grid({
  name: 'Traces',
  failed,
  load: async (offset) => (await fetchRows(BLOCK_ROWS, offset)).rows,
  sort: (by) => {
    order = by;
    void show();
  },
  pick: {
    has: (row) => picked.has(addressOf(row)),
    toggle: (row) => {
      const address = addressOf(row);
      if (!picked.delete(address)) picked.add(address);
      showChoice();
    },
  },
});

let total = 0;

function showChoice(): void {
  const chosen =
    picked.size > 0 ? `${counted(picked.size, 'picked trace')}` : `all ${counted(total, 'trace')}`;
  setText(ask, `Ask ${chosen}`);
}

/** The number of calls of show(); only what the latest one has read is shown. */
let shows = 0;

async function show(): Promise<void> {
  shows += 1;
  const own = shows;
  try {
    const { columns: all } = await api.traceColumns();
    if (own !== shows) return;
    columns = all
      .filter(
        ({ name, defaultVisible }) => name === 'address' || (defaultVisible && name !== 'link'),
      )
      .map(({ name, type }) => ({ name, type }));
    const page = await fetchRows(0, 0);
    if (own !== shows) return;
    total = page.totalFilteredRows;
    trouble.hidden = true;
    setText(byId('range', HTMLElement), counted(total, 'trace'));
    showChoice();
    await grid.show(columns, total, { order });
  } catch (error) {
    failed(error);
  }
}

byId('filter-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  filter = where.value.trim();
  picked.clear();
  void show();
});
ask.addEventListener('click', () => {
  saveQuestion({ traces: chosenTraces([...picked], filter), where: '' });
  location.assign('./');
});

startTheme();
requireLogin();
showLogin('links').catch(failed);
byId('traces', HTMLDivElement).append(grid.root);
void show();
