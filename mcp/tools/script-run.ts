/** Runs a script on chosen traces, leniently, within a time and a number of rows. */
import { randomUUID } from 'node:crypto';
import type { Table } from '../../lib/clickhouse/client.ts';
import { arrayLiteral, literal } from '../../lib/common/text/sql-literal.ts';
import type { Access } from '../access.ts';

export interface ScriptRun {
  sql: string;
  addresses: readonly string[];
  secondsMax: number;
  rowsMax: number;
  /** Called while the script runs. */
  onProgress?: (done: number, total: number) => Promise<void>;
  signal: AbortSignal;
}

export interface Outcome extends Table {
  /** Whether there are more rows than `rowsMax`. */
  hasMore: boolean;
  seconds: number;
  failedTraces: number;
  /** The first failures. */
  failures: { trace: string; code: string; message: string }[];
}

const FAILURES_SHOWN_MAX = 20;
const PROGRESS_INTERVAL_MS = 2000;

/** @throws BigtraceError of the query: TraceProcessor's if the script is wrong, deadline_exceeded after `secondsMax` */
export async function runScript(access: Access, run: ScriptRun): Promise<Outcome> {
  const { sql, addresses, secondsMax, rowsMax, signal } = run;
  const queryId = `mcp-${randomUUID()}`;
  const began = performance.now();
  using _ = reporting(access, queryId, run);
  const table = await access.table(
    `SELECT * FROM bigtrace.bigtrace_lenient(traces = ${arrayLiteral(addresses)}, sql = ${literal(sql)}) LIMIT ${rowsMax + 1}`,
    { queryId, signal, executionMsMax: secondsMax * 1000 },
  );
  const seconds = (performance.now() - began) / 1000;
  const failed = `FROM bigtrace.failures WHERE query_id = ${literal(queryId)} AND trace != ''`;
  const failures = await access.rows(
    `SELECT trace, code, message, count() OVER () ${failed} LIMIT ${FAILURES_SHOWN_MAX}`,
    { signal },
  );
  return {
    columns: table.columns,
    rows: table.rows.slice(0, rowsMax),
    hasMore: table.rows.length > rowsMax,
    seconds: Math.round(seconds * 1000) / 1000,
    failedTraces: Number(failures[0]?.[3] ?? 0),
    failures: failures.map(([trace, code, message]) => ({
      ...{ trace: String(trace), code: String(code), message: String(message) },
    })),
  };
}

/** Reports the progress until it is disposed of. */
function reporting(access: Access, queryId: string, { onProgress }: ScriptRun): Disposable {
  const report = async (): Promise<void> => {
    const progress = await access.progress(queryId);
    if (progress !== undefined) await onProgress?.(progress.done, progress.total);
  };
  // A progress that cannot be had is no failure of the run.
  const timer =
    onProgress && setInterval(() => void report().catch(() => undefined), PROGRESS_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
