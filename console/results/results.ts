/** Shows the rows of a query as a grid that any column sorts, or as a chart, and offers them as files. */
import type { WireExecution, WirePage } from '../../http-api/contract/page.ts';
import { api } from '../api.ts';
import { type Axes, axesOf, chartOf, isNumber } from '../chart/chart.ts';
import { histogramOf, scatterOf } from '../chart/points.ts';
import { byId, element, linkTo, setText } from '../dom.ts';
import { count, counted } from '../format.ts';
import { BLOCK_ROWS } from '../grid/blocks.ts';
import { Grid, type Order } from '../grid/grid.ts';

/** A chart is of the first rows, in the order of the grid. */
const CHART_ROWS = 5000;

const VIEWS = { grid: 'Grid', bars: 'Bars', histogram: 'Histogram', scatter: 'Scatter' };
type View = keyof typeof VIEWS;

/** The columns that each chart lets the user choose. */
const CHOICES: Record<View, [text: string, axis: keyof Axes][]> = {
  grid: [],
  bars: [
    ['bars', 'value'],
    ['by', 'name'],
  ],
  histogram: [['of', 'value']],
  scatter: [
    ['of', 'value'],
    ['against', 'across'],
  ],
};

export class Results {
  readonly #failed: (error: unknown) => void;
  readonly #root = byId('results', HTMLElement);
  readonly #range = element('span', { class: 'range', 'aria-live': 'polite' });
  readonly #table = element('span', { class: 'table-name' });
  readonly #files = element('span', { class: 'files' });
  readonly #body = element('div', { class: 'body' });
  readonly #choice = element('span', { class: 'choice' });
  readonly #view = element('select', { 'aria-label': 'View' });
  readonly #grid: Grid;
  #uuid = '';
  #order: Order | undefined;
  #axes: Axes | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.#grid = new Grid({
      name: 'Rows',
      failed,
      load: async (offset) => (await this.#fetch(BLOCK_ROWS, offset)).rows,
      sort: async (order) => {
        this.#order = order;
        await this.#show(false);
      },
    });
    for (const [value, text] of Object.entries(VIEWS))
      this.#view.append(element('option', { value }, text));
    this.#view.addEventListener('change', () => void this.#show(true));
    const bar = element(
      'div',
      { class: 'bar' },
      ...[element('h2', { id: 'results-title' }, 'Rows'), this.#range, this.#table],
      ...[this.#files, this.#choice, this.#view],
    );
    this.#root.append(bar, this.#body);
  }

  /** Hides the results until there are rows. */
  clear(): void {
    this.#uuid = '';
    this.#root.hidden = true;
  }

  /** Shows a query from its first row. */
  async open(execution: WireExecution): Promise<void> {
    const { queryUuid, tableName = '', tableLink, status } = execution;
    this.#uuid = queryUuid;
    this.#order = undefined;
    this.#axes = undefined;
    const link = tableLink === undefined ? tableName : linkTo(tableLink, tableName);
    this.#table.replaceChildren(link);
    this.#files.replaceChildren(fileLink(queryUuid, 'csv'), ' ', fileLink(queryUuid, 'parquet'));
    this.#files.hidden = status === 'IN_PROGRESS';
    await this.#show(false);
  }

  /** Offers files of the rows, now that there will be no more. */
  ended(): void {
    this.#files.hidden = false;
  }

  isOf(uuid: string): boolean {
    return this.#uuid === uuid;
  }

  /** Loads the current rows again, while the query adds some. */
  async refresh(): Promise<void> {
    await this.#show(true);
  }

  #fetch(limit: number, offset: number): Promise<WirePage> {
    const order = this.#order;
    return api.page(this.#uuid, {
      ...{ limit, offset },
      ...(order && { order_by: `${order.column} ${order.descending ? 'desc' : 'asc'}` }),
    });
  }

  async #show(keepsPlace: boolean): Promise<void> {
    const uuid = this.#uuid;
    const view = this.#view.value as View;
    try {
      const page = await this.#fetch(view === 'grid' ? 0 : CHART_ROWS, 0);
      if (uuid !== this.#uuid || view !== this.#view.value) return; // others were chosen in the meantime
      this.#axes ??= axesOf(page);
      this.#root.hidden = false;
      this.#draw(page, view);
      if (view !== 'grid') return;
      const { schema, totalFilteredRows: total } = page;
      await this.#grid.show(schema, total, { order: this.#order, keepsPlace });
    } catch (error) {
      this.#failed(error);
    }
  }

  #draw(page: WirePage, view: View): void {
    const { rows, totalFilteredRows: total } = page;
    const isPart = view !== 'grid' && rows.length < total;
    setText(
      this.#range,
      `${isPart ? `first ${count(rows.length)} of ` : ''}${counted(total, 'row')}`,
    );
    this.#choice.replaceChildren(...CHOICES[view].map((one) => this.#axisChoice(page, view, one)));
    const shown = view === 'grid' ? this.#grid.root : this.#chart(page, view);
    if (this.#body.firstElementChild !== shown) this.#body.replaceChildren(shown);
  }

  #chart(page: WirePage, view: Exclude<View, 'grid'>): HTMLElement {
    const axes = this.#axes;
    if (axes === undefined)
      return element('p', { class: 'none' }, 'A chart needs a column of numbers.');
    if (view === 'histogram') return histogramOf(page, axes.value);
    return view === 'scatter' ? scatterOf(page, axes.across, axes.value) : chartOf(page, axes);
  }

  #axisChoice(page: WirePage, view: View, [text, axis]: [string, keyof Axes]): HTMLElement {
    const select = element('select', { 'aria-label': `Column: ${text}` });
    page.schema.forEach(({ name, type }, at) => {
      if (axis === 'name' || isNumber(type))
        select.append(element('option', { value: at, selected: at === this.#axes?.[axis] }, name));
    });
    select.addEventListener('change', () => {
      if (this.#axes === undefined) return;
      this.#axes = { ...this.#axes, [axis]: Number(select.value) };
      this.#body.replaceChildren(this.#chart(page, view as Exclude<View, 'grid'>));
    });
    return element('label', {}, `${text} `, select);
  }
}

function fileLink(uuid: string, format: 'csv' | 'parquet'): HTMLElement {
  const name = { csv: 'CSV', parquet: 'Parquet' }[format];
  const href = `query_executions/${encodeURIComponent(uuid)}:download?format=${format}`;
  return element('a', { href, download: '', 'aria-label': `Download as ${name}` }, name);
}
