/** Draws a histogram of one numeric column, and a scatter of two. */
import type { WirePage } from '../../http-api/contract/page.ts';
import { element, svg } from '../dom.ts';
import { count } from '../format.ts';

const WIDTH = 830;
const HEIGHT = 320;
const MARGIN = { left: 70, right: 12, top: 10, bottom: 30 };
const BINS = 40;

export interface Bin {
  from: number;
  to: number;
  rows: number;
}

/** The finite numbers of a column. */
export function numbersOf({ rows }: Pick<WirePage, 'rows'>, column: number): number[] {
  return rows.flatMap(({ values }) => {
    const value = values[column];
    const number =
      value === null || value === undefined || value === '' ? Number.NaN : Number(value);
    return Number.isFinite(number) ? [number] : [];
  });
}

/** Counts the numbers in intervals of equal width; the last one includes its end. */
export function binsOf(numbers: readonly number[]): Bin[] {
  const { least, most } = rangeOf(numbers);
  if (numbers.length === 0) return [];
  if (least === most) return [{ from: least, to: most, rows: numbers.length }];
  const width = most / BINS - least / BINS; // a difference of large numbers could be infinite
  const bins = Array.from({ length: BINS }, (_, at) => ({
    from: least + at * width,
    to: at === BINS - 1 ? most : least + (at + 1) * width,
    rows: 0,
  }));
  for (const number of numbers) {
    const bin = bins[Math.min(Math.floor(number / width - least / width), BINS - 1)];
    if (bin !== undefined) bin.rows += 1;
  }
  return bins;
}

export function histogramOf(page: WirePage, column: number): HTMLElement {
  const name = page.columnNames[column] ?? '';
  const bins = binsOf(numbersOf(page, column));
  if (bins.length === 0) return none();
  const most = Math.max(...bins.map(({ rows }) => rows));
  const plot = {
    width: WIDTH - MARGIN.left - MARGIN.right,
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const width = plot.width / bins.length;
  const bars = bins.map(({ from, to, rows }, at) =>
    svg(
      'rect',
      {
        x: MARGIN.left + at * width,
        y: MARGIN.top + plot.height * (1 - rows / most),
        width: Math.max(width - 1, 1),
        height: (plot.height * rows) / most,
      },
      svg('title', {}, `${short(from)} to ${short(to)}: ${count(rows)} rows`),
    ),
  );
  const axes = axesOf(
    { least: bins[0]?.from ?? 0, most: bins.at(-1)?.to ?? 0 },
    { least: 0, most },
  );
  return drawing(
    `Histogram of ${name}: ${bins.length} bins, at most ${count(most)} rows in one`,
    bars,
    axes,
  );
}

export function scatterOf(page: WirePage, x: number, y: number): HTMLElement {
  const points = page.rows.flatMap(({ values }) => {
    const row = { rows: [{ values }] };
    const [across, up] = [numbersOf(row, x)[0], numbersOf(row, y)[0]];
    return across === undefined || up === undefined ? [] : [{ across, up }];
  });
  if (points.length === 0) return none();
  const [horizontal, vertical] = [
    rangeOf(points.map(({ across }) => across)),
    rangeOf(points.map(({ up }) => up)),
  ];
  const dots = points.map(({ across, up }) =>
    svg(
      'circle',
      {
        cx: MARGIN.left + fraction(across, horizontal) * (WIDTH - MARGIN.left - MARGIN.right),
        cy: HEIGHT - MARGIN.bottom - fraction(up, vertical) * (HEIGHT - MARGIN.top - MARGIN.bottom),
        r: 3,
      },
      svg('title', {}, `${short(across)}, ${short(up)}`),
    ),
  );
  const [xName = '', yName = ''] = [page.columnNames[x], page.columnNames[y]];
  return drawing(
    `${yName} against ${xName}: ${count(points.length)} points`,
    dots,
    axesOf(horizontal, vertical),
  );
}

interface Range {
  least: number;
  most: number;
}

function rangeOf(numbers: readonly number[]): Range {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  return { least, most };
}

/** Place of a value in its range, from 0 to 1; the middle of a range without a width. */
export function fraction(value: number, { least, most }: Range): number {
  const width = most / 2 - least / 2;
  return width === 0 ? 0.5 : (value / 2 - least / 2) / width;
}

function axesOf(x: Range, y: Range): SVGElement[] {
  const below = { y: HEIGHT - 8, class: 'value' };
  const aside = { x: MARGIN.left - 6, 'text-anchor': 'end', class: 'value' };
  return [
    svg('text', { ...below, x: MARGIN.left }, short(x.least)),
    svg('text', { ...below, x: WIDTH - MARGIN.right, 'text-anchor': 'end' }, short(x.most)),
    svg('text', { ...aside, y: HEIGHT - MARGIN.bottom }, short(y.least)),
    svg('text', { ...aside, y: MARGIN.top + 8 }, short(y.most)),
  ];
}

function drawing(name: string, shapes: SVGElement[], axes: SVGElement[]): HTMLElement {
  const frame = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': name };
  return element('div', { class: 'chart' }, svg('svg', frame, ...axes, ...shapes));
}

function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

function none(): HTMLElement {
  return element('p', { class: 'none' }, 'No numbers in these rows.');
}
