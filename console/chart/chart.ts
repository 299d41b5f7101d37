/** A bar chart of one numeric column by another column, for the rows of the current page. */
import type { WirePage } from '../../http-api/contract/page.ts';
import { element, svg } from '../dom.ts';
import { oneLine } from '../format.ts';

export interface Bar {
  name: string;
  /** The value as the server sent it, with all digits. */
  value: string;
  /** Start and end of the bar, as fractions of the width. */
  from: number;
  to: number;
}

const BARS_MAX = 30;
const NAME_CHARS = 34;
const NUMBERS = new Set(['INT64', 'UINT64', 'FLOAT64']);

export interface Axes {
  name: number;
  value: number;
  /** The horizontal axis of a scatter. */
  across: number;
}

/**
 * Chooses the first text column that is not the trace address (otherwise the first column), and the first two numeric
 * columns.
 */
export function axesOf({ schema }: WirePage): Axes | undefined {
  const value = schema.findIndex(({ type }) => NUMBERS.has(type));
  const text = schema.findIndex(({ type, name }) => type === 'STRING' && name !== '_trace_address');
  const other = schema.findIndex(({ type }, at) => NUMBERS.has(type) && at !== value);
  return value < 0
    ? undefined
    : { name: Math.max(text, 0), value, across: other < 0 ? value : other };
}

export function isNumber(type: string | undefined): boolean {
  return type !== undefined && NUMBERS.has(type);
}

/** Returns a bar for each row with a finite number, BARS_MAX at most. */
export function barsOf({ rows }: WirePage, axes: Omit<Axes, 'across'>): Bar[] {
  const numbers = rows
    .map(({ values }) => ({ name: values[axes.name] ?? 'NULL', value: values[axes.value] }))
    .filter(({ value }) => value !== null && value !== undefined && Number.isFinite(Number(value)))
    .slice(0, BARS_MAX);
  const least = Math.min(0, ...numbers.map(({ value }) => Number(value)));
  const span = Math.max(0, ...numbers.map(({ value }) => Number(value))) - least || 1;
  const zero = (0 - least) / span;
  return numbers.map(({ name, value }) => {
    const at = (Number(value) - least) / span;
    return { name, value: String(value), from: Math.min(zero, at), to: Math.max(zero, at) };
  });
}

const ROW_HEIGHT = 20;
const NAME_WIDTH = 240;
const BAR_WIDTH = 420;
const VALUE_WIDTH = 170;

export function chartOf(page: WirePage, axes: Axes): HTMLElement {
  const bars = barsOf(page, axes);
  if (bars.length === 0) return element('p', { class: 'none' }, 'No numbers on this page.');
  const [name = '', value = ''] = [page.columnNames[axes.name], page.columnNames[axes.value]];
  const width = NAME_WIDTH + BAR_WIDTH + VALUE_WIDTH;
  const drawing = svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${bars.length * ROW_HEIGHT}`,
      role: 'img',
      'aria-label': `${value} by ${name}, ${bars.length} bars`,
    },
    ...bars.map((bar, at) => barOf(bar, at)),
  );
  return element('div', { class: 'chart' }, drawing);
}

function barOf({ name, value, from, to }: Bar, at: number): SVGElement {
  const middle = at * ROW_HEIGHT + ROW_HEIGHT / 2;
  const text = { y: middle, 'dominant-baseline': 'central' };
  return svg(
    'g',
    {},
    svg('title', {}, `${name}: ${value}`),
    svg('text', { ...text, x: NAME_WIDTH - 8, 'text-anchor': 'end' }, oneLine(name, NAME_CHARS)),
    svg('rect', {
      x: NAME_WIDTH + from * BAR_WIDTH,
      y: middle - 7,
      width: Math.max((to - from) * BAR_WIDTH, 1),
      height: 14,
      rx: 2,
    }),
    svg('text', { ...text, x: NAME_WIDTH + to * BAR_WIDTH + 6, class: 'value' }, value),
  );
}
