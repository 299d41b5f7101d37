/** Formats the query history as a text table. */
import type { Execution } from '../../http-api/queries/history.ts';
import { printable } from '../../lib/common/text/byte-text.ts';

const SQL_CHARS_SHOWN = 60;

const HEAD = ['STARTED', 'USER', 'STATUS', 'TOOK', 'TRACES', 'ROWS', 'TABLE', 'SQL', 'ID'];

export function historyText(executions: readonly Execution[], nowMs: number): string {
  if (executions.length === 0) return 'no query has been sent over HTTP yet';
  const rows = [HEAD, ...executions.map((one) => cells(one, nowMs))];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

function cells(one: Execution, nowMs: number): string[] {
  const sql = printable(one.perfettoSql.trim().replace(/\s+/g, ' '));
  return [
    new Date(one.startMs).toISOString().slice(0, 19).replace('T', ' '),
    printable(one.user),
    one.status,
    `${(((one.endMs ?? nowMs) - one.startMs) / 1000).toFixed(1)} s`,
    `${one.processedTraces}/${one.totalTraces}`,
    String(one.processedRows),
    one.materialized ? one.tableName : '',
    sql.length > SQL_CHARS_SHOWN ? `${sql.slice(0, SQL_CHARS_SHOWN - 1)}…` : sql,
    one.uuid,
  ];
}
