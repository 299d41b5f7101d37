/** Returns the shortest text that reads back as the same double; `inf`, `nan` and `-0` as ClickHouse writes them. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
