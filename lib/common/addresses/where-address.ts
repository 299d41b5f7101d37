/**
 * `/where/<expression>` stands for all traces for which an expression over ClickHouse's table bigtrace.traces holds, such
 * as `/where/duration > 2e9`. `/where//["<expression>", …]`, with a JSON array of strings, stands for the traces for
 * which all of the expressions hold. No expression begins with a slash.
 */
import { BigtraceError } from '../errors.ts';

export const WHERE_STORE = 'where';

export function whereAddress(expressions: readonly string[]): string {
  const [first = '1', ...others] = expressions;
  const path = others.length === 0 ? first : `/${JSON.stringify(expressions)}`;
  return `/${WHERE_STORE}/${path}`;
}

/** @param path text after `/where/` @throws invalid_address if its JSON is no array of strings */
export function expressionsOf(path: string): string[] {
  if (!path.startsWith('/')) return [path];
  const parsed = parsedJson(path.slice(1));
  if (Array.isArray(parsed) && parsed.length > 0 && parsed.every((one) => typeof one === 'string'))
    return parsed;
  throw new BigtraceError(
    'invalid_address',
    'behind /where// a JSON array of expressions must follow, such as ["size > 0", "duration > 2e9"]',
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
