/** Which rows of a long list are in the page. Browsers bound the height of an element, so a longer list is scaled. */

/** Browsers draw elements up to about 16 million pixels. */
const PIXELS_MAX = 8_000_000;
/** Rows above and below the visible ones, so that small scrolls show no gap. */
const SPARE_ROWS = 10;

export interface View {
  scrollTop: number;
  /** Height of the visible part. */
  height: number;
}

export interface Window {
  first: number;
  /** The row behind the last one. */
  end: number;
  /** Heights of the space above and below the rows. */
  above: number;
  below: number;
}

/** Returns the rows for a view of `total` rows of `rowHeight` pixels each. */
export function windowOf({ scrollTop, height }: View, total: number, rowHeight: number): Window {
  const whole = total * rowHeight;
  const drawn = Math.min(whole, PIXELS_MAX);
  const visible = Math.ceil(height / rowHeight);
  const at =
    whole <= PIXELS_MAX
      ? Math.floor(scrollTop / rowHeight)
      : Math.floor((scrollTop / Math.max(drawn - height, 1)) * (total - visible + 1));
  const top = Math.max(Math.min(at, total - visible), 0);
  const first = Math.max(top - SPARE_ROWS, 0);
  const end = Math.min(top + visible + SPARE_ROWS, total);
  const above =
    whole <= PIXELS_MAX ? first * rowHeight : Math.max(scrollTop - (top - first) * rowHeight, 0);
  const below = Math.max(drawn - above - (end - first) * rowHeight, 0);
  return { first, end, above, below };
}

/** Returns the scroll position that shows a row, near the one that is given. */
export function scrollTo(
  row: number,
  { scrollTop, height }: View,
  total: number,
  rowHeight: number,
): number {
  const whole = total * rowHeight;
  if (whole > PIXELS_MAX) {
    const visible = Math.ceil(height / rowHeight);
    const { first, end } = windowOf({ scrollTop, height }, total, rowHeight);
    if (row >= first + SPARE_ROWS && row < end - SPARE_ROWS) return scrollTop;
    return (Math.max(PIXELS_MAX - height, 1) * row) / Math.max(total - visible + 1, 1);
  }
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return top + 2 * rowHeight > scrollTop + height ? top + 2 * rowHeight - height : scrollTop;
}
