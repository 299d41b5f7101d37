/**
 * Recognizes `SUMMARIZE TRACE`, followed by a `TraceSummarySpec` in textproto, which is accepted wherever a script is.
 * It returns the rows of summary.ts. PerfettoSQL has no such statement.
 */
import type { ScriptTraits } from './script-traits.ts';

export const SUMMARIZE = 'SUMMARIZE TRACE';
/** The comment that names an engine may precede them. */
const HEAD = /^\s*(?:\/\*\s*bigtrace:.*?\*\/\s*)?SUMMARIZE\s+TRACE(?![A-Za-z0-9_$])/i;
/** The words of the statement must be within this many bytes; white space may precede them. */
const HEAD_BYTES_MAX = 1024;

/** Returns the specification if the script is a summary, else undefined. */
export function summarySpecOf(sql: Uint8Array): Uint8Array | undefined {
  const { buffer, byteOffset, byteLength } = sql;
  const head = Buffer.from(buffer, byteOffset, Math.min(byteLength, HEAD_BYTES_MAX));
  const [keyword] = HEAD.exec(head.toString('latin1')) ?? [];
  return keyword === undefined ? undefined : sql.subarray(keyword.length);
}

const CHANGES =
  /random|current_|sqlstats|changes|last_insert_rowid|(date|time|julianday|unixepoch|strftime|timediff)\s*\(/i;

/** Derives the traits of a specification, which may contain SQL and name modules, from its words. */
export function summaryTraits(spec: Uint8Array): ScriptTraits {
  const text = Buffer.from(spec).toString('latin1');
  // Textproto may spell words with escapes, or split them into adjacent strings.
  const doubtful = /\\[0-7xXuU]/.test(text) || CHANGES.test(text.replace(/["']\s*["']/g, ''));
  return { mutatesState: true, readsQueryHistory: doubtful, deterministic: !doubtful };
}
