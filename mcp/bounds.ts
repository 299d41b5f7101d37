/** Bounds of what one call of a tool may cost. The operator sets the largest ones; a call names its own below them. */
import { BigtraceError } from '../lib/common/errors.ts';

export interface Bounds {
  traces: number;
  seconds: number;
  rows: number;
}

/** Of a run that names none. */
export const DEFAULT_BUDGET: Bounds = { traces: 100, seconds: 60, rows: 1000 };

/** Of `bigtrace mcp` without flags. */
export const DEFAULT_BOUNDS: Bounds = { traces: 10_000, seconds: 600, rows: 10_000 };

/** The largest bound that an operator can set. */
export const BOUND_MAX = 1_000_000;

/** The size of one result, in ClickHouse and in memory here. */
export const RESULT_BYTES_MAX = 32 * 2 ** 20;

/** An agent reads every character: longer cells are cut, and say so. */
export const CELL_CHARS_MAX = 1000;

type Asked = { [Name in keyof Bounds]?: number | undefined };

/** @throws limit_exceeded if a part of the budget is above the operator's bound */
export function budgetOf(asked: Asked, bounds: Bounds): Bounds {
  const budget = { ...DEFAULT_BUDGET };
  for (const name of ['traces', 'seconds', 'rows'] as const) {
    budget[name] = asked[name] ?? Math.min(DEFAULT_BUDGET[name], bounds[name]);
    if (budget[name] > bounds[name])
      throw new BigtraceError(
        'limit_exceeded',
        `max_${name} is ${budget[name]}, more than this server allows (${bounds[name]}); name at most that`,
      );
  }
  return budget;
}
