/**
 * `SUMMARIZE TRACE` and a `TraceSummarySpec` in textproto is a script, too: its rows are those of summary.ts.
 * PerfettoSQL has no such statement, so whatever takes a script takes this.
 */
import type { ScriptTraits } from './script-traits.ts';

export const SUMMARIZE = 'SUMMARIZE TRACE';
const HEAD = /^\s*SUMMARIZE\s+TRACE(?![A-Za-z0-9_$])/i;
/** White space in front is not without end. */
const HEAD_BYTES_MAX = 1024;

/** The specification, where the script is one. */
export function summarySpecOf(sql: Uint8Array): Uint8Array | undefined {
  const { buffer, byteOffset, byteLength } = sql;
  const head = Buffer.from(buffer, byteOffset, Math.min(byteLength, HEAD_BYTES_MAX));
  const [found] = HEAD.exec(head.toString('latin1')) ?? [];
  return found === undefined ? undefined : sql.subarray(found.length);
}

const CHANGES =
  /random|current_|sqlstats|changes|last_insert_rowid|(date|time|julianday|unixepoch|strftime|timediff)\s*\(/i;

/** A specification may hold SQL, and names modules. By its words only, as scripts are judged. */
export function summaryTraits(spec: Uint8Array): ScriptTraits {
  const text = Buffer.from(spec).toString('latin1');
  // Words may be spelled by escapes, or cut into strings that stand side by side.
  const doubtful = /\\[0-7xXuU]/.test(text) || CHANGES.test(text.replace(/["']\s*["']/g, ''));
  return { mutatesState: true, readsQueryHistory: doubtful, deterministic: !doubtful };
}
