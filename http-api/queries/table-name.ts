/** Validates table names that clients send. */

import { badRequest } from '../http-error.ts';
import { RESULTS } from './plan.ts';

/** Accepts `name` or `bigtrace_results.name`. @returns `name` @throws invalid_option */
export function checkTableName(text: string): string {
  const name = text.startsWith(`${RESULTS}.`) ? text.slice(RESULTS.length + 1) : text;
  if (/^[A-Za-z_]\w{0,127}$/.test(name)) return name;
  throw badRequest(
    `table_name ${text} must begin with a letter or _ and contain only letters, digits and _, at most 128`,
  );
}
