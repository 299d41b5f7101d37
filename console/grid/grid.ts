/**
 * A grid of any number of rows, of which only the visible ones are in the page. Arrow keys move between its cells; a
 * click on the name of a column sorts.
 */
import type { WireColumn, WireRow } from '../../http-api/contract/page.ts';
import { isNumber } from '../chart/chart.ts';
import { button, element, linkTo } from '../dom.ts';
import { Blocks } from './blocks.ts';
import { scrollTo, windowOf } from './window.ts';

/** Height of a row, as in panels.css. */
const ROW_HEIGHT = 24;
const PAGE_KEY_ROWS = 20;
const ADDRESSES = new Set(['_trace_address', 'address']);

export interface Order {
  column: string;
  descending: boolean;
}

export interface GridOptions {
  name: string;
  /** Returns the rows of a block. */
  load(offset: number): Promise<WireRow[]>;
  sort(order: Order): void;
  failed(error: unknown): void;
  /** Lets the user pick rows. */
  pick?: { has(row: WireRow): boolean; toggle(row: WireRow): void };
}

export class Grid {
  readonly root: HTMLElement;
  readonly #options: GridOptions;
  readonly #blocks: Blocks;
  readonly #head = element('tr', { 'aria-rowindex': 1 });
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  #schema: readonly WireColumn[] = [];
  #total = 0;
  /** The cell that has the focus, or gets it. */
  #cell = { row: 0, column: 0 };

  constructor(options: GridOptions) {
    this.#options = options;
    this.#blocks = new Blocks(options.load);
    const head = element('thead', {}, this.#head);
    this.#table = element('table', { role: 'grid', 'aria-label': options.name }, head, this.#body);
    this.root = element('div', { class: 'grid' }, this.#table);
    this.root.addEventListener('scroll', () => void this.#draw());
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    if (options.pick !== undefined) this.#table.setAttribute('aria-multiselectable', 'true');
    this.#body.addEventListener('click', ({ target }) => {
      if (target instanceof Element && target.closest('a') === null) this.#pick();
    });
    this.#body.addEventListener('focusin', ({ target }) => this.#focused(target));
    new ResizeObserver(() => void this.#draw()).observe(this.root);
  }

  /** Shows rows of these columns, from the first one unless `keepsPlace`. */
  async show(
    schema: readonly WireColumn[],
    total: number,
    { order, keepsPlace = false }: { order?: Order | undefined; keepsPlace?: boolean } = {},
  ): Promise<void> {
    this.#schema = schema;
    this.#total = total;
    this.#blocks.clear();
    if (!keepsPlace) {
      this.root.scrollTop = 0;
      this.#cell = { row: 0, column: 0 };
    }
    const focused = document.activeElement?.getAttribute('data-column');
    this.#head.replaceChildren(...schema.map((column) => this.#headOf(column, order)));
    this.#head.querySelector<HTMLElement>(`[data-column="${CSS.escape(focused ?? '')}"]`)?.focus();
    this.#table.setAttribute('aria-rowcount', String(total + 1));
    this.#table.setAttribute('aria-colcount', String(schema.length));
    await this.#draw();
  }

  async #draw(): Promise<void> {
    const { first, end } = this.#window();
    this.#fill();
    try {
      if (await this.#blocks.need(first, end)) this.#fill();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #window() {
    const { scrollTop, clientHeight } = this.root;
    const height = Math.max(clientHeight - ROW_HEIGHT, ROW_HEIGHT);
    return windowOf({ scrollTop, height }, this.#total, ROW_HEIGHT);
  }

  #fill(): void {
    const { first, end, above, below } = this.#window();
    const hadFocus = this.#body.contains(document.activeElement);
    const rows: HTMLElement[] = [];
    for (let at = first; at < end; at++) rows.push(this.#rowOf(at));
    this.#body.replaceChildren(spacer(above), ...rows, spacer(below));
    const current = this.#body.querySelector<HTMLElement>('[tabindex="0"]');
    if (hadFocus) current?.focus({ preventScroll: true });
    // The grid can always be reached by Tab.
    if (current === null)
      this.#body.querySelector('td[role=gridcell]')?.setAttribute('tabindex', '0');
  }

  #rowOf(at: number): HTMLElement {
    const row = this.#blocks.row(at);
    const cells = this.#schema.map((column, index) => {
      const isCurrent = at === this.#cell.row && index === this.#cell.column;
      const cell = cellOf(row?.values[index], column);
      cell.setAttribute('aria-colindex', String(index + 1));
      cell.setAttribute('tabindex', isCurrent ? '0' : '-1');
      return cell;
    });
    const tr = element(
      'tr',
      { 'aria-rowindex': at + 2, 'aria-busy': String(row === undefined) },
      ...cells,
    );
    const { pick } = this.#options;
    if (pick !== undefined && row !== undefined)
      tr.setAttribute('aria-selected', String(pick.has(row)));
    return tr;
  }

  #headOf({ name, type }: WireColumn, order: Order | undefined): HTMLElement {
    const own = order?.column === name ? order : undefined;
    const sorted = own === undefined ? 'none' : own.descending ? 'descending' : 'ascending';
    const arrow = { none: '', ascending: ' ▲', descending: ' ▼' }[sorted];
    const sort = button(`${name}${arrow}`, `Sort by ${name}`, () =>
      this.#options.sort({ column: name, descending: sorted === 'ascending' }),
    );
    sort.dataset['column'] = name;
    const kind = element('small', {}, type.toLowerCase());
    const numeric = isNumber(type) ? 'numeric' : undefined;
    return element('th', { scope: 'col', class: numeric, 'aria-sort': sorted }, sort, kind);
  }

  /** Picks the row of the current cell, or leaves it out again. */
  #pick(): void {
    const row = this.#blocks.row(this.#cell.row);
    if (row === undefined || this.#options.pick === undefined) return;
    this.#options.pick.toggle(row);
    this.#fill();
  }

  #focused(target: EventTarget | null): void {
    const cell = target instanceof Element ? target.closest('td[aria-colindex]') : null;
    const row = cell?.closest('tr')?.getAttribute('aria-rowindex');
    if (cell === null || row === null || row === undefined) return;
    this.#cell = { row: Number(row) - 2, column: Number(cell.getAttribute('aria-colindex')) - 1 };
    for (const other of this.#body.querySelectorAll('[tabindex="0"]'))
      other.setAttribute('tabindex', '-1');
    cell.setAttribute('tabindex', '0');
  }

  #key(event: KeyboardEvent): void {
    const { row, column } = this.#cell;
    const last = this.#total - 1;
    const lastColumn = this.#schema.length - 1;
    const whole = event.ctrlKey || event.metaKey;
    const moves: Record<string, [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row - PAGE_KEY_ROWS, column],
      PageDown: [row + PAGE_KEY_ROWS, column],
      Home: [whole ? 0 : row, 0],
      End: [whole ? last : row, lastColumn],
    };
    const to = moves[event.key];
    if (event.key === 'Enter' && !whole)
      this.#body.querySelector<HTMLAnchorElement>('[tabindex="0"] a')?.click();
    if (event.key === ' ' && this.#options.pick !== undefined) {
      event.preventDefault();
      this.#pick();
    }
    if (to === undefined) return;
    event.preventDefault();
    this.#cell = { row: within(to[0], last), column: within(to[1], lastColumn) };
    const { scrollTop, clientHeight: height } = this.root;
    this.root.scrollTop = scrollTo(this.#cell.row, { scrollTop, height }, this.#total, ROW_HEIGHT);
    void this.#draw();
    this.#body
      .querySelector('[tabindex="0"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
}

function within(value: number, last: number): number {
  return Math.max(Math.min(value, last), 0);
}

/** Space for the rows that are not in the page. */
function spacer(height: number): HTMLElement {
  const space = element('tr', { 'aria-hidden': 'true', class: 'space' });
  space.style.height = `${height}px`;
  return space;
}

/** NULL is shown as a word, an empty text as an empty cell, and a trace's address as a link that opens the trace. */
function cellOf(value: string | null | undefined, { name, type }: WireColumn): HTMLElement {
  if (value === undefined) return element('td', { role: 'gridcell' });
  if (value === null) return element('td', { role: 'gridcell', class: 'null' }, 'NULL');
  const content = ADDRESSES.has(name) ? linkTo(`open/${traceId(value)}`, value) : value;
  if (content instanceof Element) content.setAttribute('tabindex', '-1');
  const numeric = isNumber(type) ? 'numeric' : undefined;
  return element(
    'td',
    { role: 'gridcell', class: numeric, title: value },
    element('div', {}, content),
  );
}

/** base64url of the address, which is what `/open/ID` takes. */
export function traceId(address: string): string {
  const bytes = new TextEncoder().encode(address);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
