/** Formats the query history as a text table. */
import type { Execution } from '../../http-api/queries/history.ts';
import { printable } from '../../lib/common/text/byte-text.ts';

const SQL_CHARS_SHOWN = 60;

const HEAD = [
  ...[
    'STARTED',
    'USER',
    'STATUS',
    'TOOK',
    'CORES',
    'READ',
    'TRACES',
    'FROM',
    'ROWS',
    'TABLE',
    'SQL',
  ],
  'ID',
];

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
    one.cost === undefined ? '' : `${(one.cost.coreMs / 1000).toFixed(1)} s`,
    one.cost === undefined ? '' : `${(one.cost.traceBytes / 1e6).toFixed(1)} MB`,
    `${one.processedTraces}/${one.totalTraces}`,
    one.cost === undefined ? '' : tiersText(one.cost),
    String(one.processedRows),
    one.materialized ? one.tableName : '',
    sql.length > SQL_CHARS_SHOWN ? `${sql.slice(0, SQL_CHARS_SHOWN - 1)}…` : sql,
    one.uuid,
  ];
}

/** Where the results of the traces came from, as in `bigtrace status`. */
function tiersText(cost: NonNullable<Execution['cost']>): string {
  const { tracesRemembered, tracesLoaded, tracesRestored, tracesParsed } = cost;
  const tiers: [number, string][] = [
    [tracesRemembered, 'result'],
    [tracesLoaded, 'loaded'],
    [tracesRestored, 'snapshot'],
    [tracesParsed, 'parse'],
  ];
  return tiers
    .filter(([traces]) => traces > 0)
    .map(([traces, tier]) => `${traces} ${tier}`)
    .join(', ');
}
