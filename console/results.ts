/** Shows the rows of a query page by page, sorted by any column, as a grid or a chart. */

import type { WireExecution, WirePage } from '../http-api/contract/page.ts';
import { api } from './api.ts';
import { type Axes, axesOf, chartOf, isNumber } from './chart/chart.ts';
import { button, byId, element, setText } from './dom.ts';
import { count, counted } from './format.ts';

const PAGE_SIZES = [50, 100, 500];

interface Order {
  column: string;
  descending: boolean;
}

export class Results {
  readonly #failed: (error: unknown) => void;
  readonly #root = byId('results', HTMLElement);
  readonly #title = element('h2', { id: 'results-title' }, 'Rows');
  readonly #range = element('span', { class: 'range', 'aria-live': 'polite' });
  readonly #table = element('span', { class: 'table-name' });
  readonly #body = element('div', { class: 'body' });
  readonly #choice = element('span', { class: 'choice' });
  readonly #previous = button('‹', 'Previous page', () => this.#turn(-1));
  readonly #next = button('›', 'Next page', () => this.#turn(1));
  readonly #size = element('select', { 'aria-label': 'Rows of a page' });
  readonly #view = button('Chart', 'Show as a chart', () => this.#switch());
  #uuid = '';
  #offset = 0;
  #order: Order | undefined;
  #asChart = false;
  #axes: Axes | undefined;
  #page: WirePage | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.#size.append(
      ...PAGE_SIZES.map((size) => element('option', { value: size }, `${size} rows`)),
    );
    this.#size.addEventListener('change', () => void this.#show(0));
    const bar = element(
      'div',
      { class: 'bar' },
      ...[this.#title, this.#range, this.#table, this.#previous, this.#next],
      ...[this.#size, this.#choice, this.#view],
    );
    this.#root.append(bar, this.#body);
  }

  /** Hides the results until there are rows. */
  clear(): void {
    this.#uuid = '';
    this.#page = undefined;
    this.#root.hidden = true;
  }

  /** Shows a query from its first row. */
  async open({ queryUuid, tableName = '', tableLink }: WireExecution): Promise<void> {
    this.#uuid = queryUuid;
    this.#order = undefined;
    this.#axes = undefined;
    const link = tableLink === undefined ? tableName : linkTo(tableLink, tableName);
    this.#table.replaceChildren(link);
    await this.#show(0);
  }

  isOf(uuid: string): boolean {
    return this.#uuid === uuid;
  }

  /** Loads the current page again, while the query adds rows. */
  async refresh(): Promise<void> {
    await this.#show(this.#offset);
  }

  async #turn(pages: number): Promise<void> {
    const offset = this.#offset + pages * Number(this.#size.value);
    const total = this.#page?.totalFilteredRows ?? 0;
    if (offset < total) await this.#show(Math.max(offset, 0));
  }

  async #show(offset: number): Promise<void> {
    const uuid = this.#uuid;
    const limit = Number(this.#size.value);
    const order = this.#order;
    try {
      const page = await api.page(uuid, {
        ...{ limit, offset },
        ...(order && { order_by: `${order.column} ${order.descending ? 'desc' : 'asc'}` }),
      });
      if (uuid !== this.#uuid) return; // another query was opened in the meantime
      this.#offset = offset;
      this.#page = page;
      this.#axes ??= axesOf(page);
      this.#draw(page);
    } catch (error) {
      this.#failed(error);
    }
  }

  #draw(page: WirePage): void {
    const { rows, totalFilteredRows: total } = page;
    this.#root.hidden = false;
    const last = this.#offset + rows.length;
    const shown = rows.length === 0 ? 'none' : `${count(this.#offset + 1)}–${count(last)}`;
    setText(this.#range, `${shown} of ${counted(total, 'row')}`);
    this.#previous.setAttribute('aria-disabled', String(this.#offset === 0));
    this.#next.setAttribute('aria-disabled', String(last >= total));
    this.#choice.replaceChildren(...(this.#asChart ? this.#axisChoices(page) : []));
    const focused = document.activeElement?.getAttribute('data-column');
    this.#body.replaceChildren(this.#asChart ? this.#chart(page) : this.#grid(page));
    if (typeof focused === 'string')
      this.#body.querySelector<HTMLElement>(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  #switch(): void {
    this.#asChart = !this.#asChart;
    setText(this.#view, this.#asChart ? 'Grid' : 'Chart');
    this.#view.setAttribute('aria-label', `Show as a ${this.#asChart ? 'grid' : 'chart'}`);
    if (this.#page !== undefined) this.#draw(this.#page);
  }

  #chart(page: WirePage): HTMLElement {
    if (this.#axes !== undefined) return chartOf(page, this.#axes);
    return element('p', { class: 'none' }, 'A chart needs a column of numbers.');
  }

  #axisChoices(page: WirePage): HTMLElement[] {
    const axes = this.#axes;
    if (axes === undefined) return [];
    return (['value', 'name'] as const).map((axis) => {
      const text = axis === 'value' ? 'bars' : 'by';
      const select = element('select', { 'aria-label': `Column: ${text}` });
      page.schema.forEach(({ name, type }, at) => {
        if (axis === 'name' || isNumber(type))
          select.append(element('option', { value: at, selected: at === axes[axis] }, name));
      });
      select.addEventListener('change', () => {
        this.#axes = { ...axes, [axis]: Number(select.value) };
        this.#draw(page);
      });
      return element('label', {}, `${text} `, select);
    });
  }

  /** The grid. It scrolls, so it must be focusable by keyboard. */
  #grid(page: WirePage): HTMLElement {
    const numeric = page.schema.map(({ type }) => isNumber(type));
    const head = element('tr', {}, ...page.schema.map((column) => this.#headOf(column)));
    const rows = page.rows.map(({ values }) =>
      element('tr', {}, ...values.map((value, at) => cellOf(value, numeric[at] === true))),
    );
    const grid = element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
    const name = { role: 'region', 'aria-label': 'Rows', tabindex: 0 };
    return element('div', { class: 'grid', ...name }, grid);
  }

  #headOf({ name, type }: { name: string; type: string }): HTMLElement {
    const order = this.#order?.column === name ? this.#order : undefined;
    const sorted = order === undefined ? 'none' : order.descending ? 'descending' : 'ascending';
    const arrow = { none: '', ascending: ' ▲', descending: ' ▼' }[sorted];
    const sort = button(`${name}${arrow}`, `Sort by ${name}`, async () => {
      this.#order = { column: name, descending: sorted === 'ascending' };
      await this.#show(0);
    });
    sort.dataset['column'] = name;
    const kind = element('small', {}, type.toLowerCase());
    const numeric = isNumber(type) ? 'numeric' : undefined;
    return element('th', { scope: 'col', class: numeric, 'aria-sort': sorted }, sort, kind);
  }
}

/** NULL is shown as a word; an empty text as an empty cell. */
function cellOf(value: string | null, numeric: boolean): HTMLElement {
  if (value === null) return element('td', { class: 'null' }, 'NULL');
  return element('td', { class: numeric ? 'numeric' : undefined, title: value }, value);
}

export function linkTo(url: string, text: string): HTMLAnchorElement {
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text);
}
