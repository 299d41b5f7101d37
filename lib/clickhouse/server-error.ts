/**
 * Reads an error text of ClickHouse. The client library ends the message at the first word in capital letters and
 * parentheses, which may be in the middle of it: `cannot reach the orchestrator HOST (BIGTRACE_ORCHESTRATOR), or …`.
 */
import { ClickHouseError } from '@clickhouse/client';

/**
 * The innermost exception, and its type: ClickHouse writes `(version …)` after the type, the end, or `,.` if the exception
 * is within another one.
 */
const EXCEPTION =
  /^(?:Code|Error): (?<code>\d+)\..*Exception: (?<message>.+?)\((?<type>[A-Z][A-Z0-9_]{2,})\)(?=,\. \(| \(version |\s*$)/s;

/** Returns the error with the whole text as its cause; an Error for a text that is not ClickHouse's. */
export function serverError(text: string): Error {
  const groups = EXCEPTION.exec(text)?.groups as
    | { code: string; message: string; type: string }
    | undefined;
  if (groups === undefined) return new Error(text);
  const error = new ClickHouseError(groups);
  error.cause = text;
  return error;
}
