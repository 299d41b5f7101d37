/** Runs one query through ClickHouse: finds its columns, creates its table and inserts its rows. */

import type { CallOptions, ClickHouse } from '../../lib/clickhouse/client.ts';
import { arrayLiteral, identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { structureColumns } from '../sql/sql-text.ts';
import { linkSql, TRACES } from '../sql/traces.ts';
import { type Column, columnOf } from './columns.ts';
import type { Execution } from './history.ts';

export const RESULTS = 'bigtrace_results';
/** Column that numbers the rows of a table from 0, so that any page is found by its row numbers. */
export const ROW_NUMBER = '_row';

export interface ExecutionRequest {
  /** Addresses, patterns and `/where/…`. */
  addresses: readonly string[];
  strict: boolean;
  /** In seconds; 0: only the limits of the services apply. */
  timeoutS: number;
  metadataColumns: readonly string[];
  /** URL of this server as the client addressed it, for links. */
  base: string;
}

export function tableOf({ tableName }: Pick<Execution, 'tableName'>): string {
  return `${RESULTS}.${identifier(tableName)}`;
}

/** Creates the table and fills it with the rows of the query. Calls `onColumns` once the table exists. */
export async function fillTable(
  database: ClickHouse,
  execution: Execution,
  request: ExecutionRequest,
  onColumns: (columns: Column[]) => Promise<void>,
): Promise<void> {
  const options: CallOptions = {
    queryId: execution.uuid,
    settings: {
      join_use_nulls: 1, // a trace that is not in the catalog has no metadata
      ...(request.timeoutS === 0 ? {} : { max_execution_time: request.timeoutS }),
    },
  };
  const queryColumns = await answerColumns(database, execution, request, options);
  const bytes = new Set(
    queryColumns.filter(({ type }) => type.includes('BLOB')).map(({ name }) => name),
  );
  const names = queryColumns.map(({ name }) => name);
  const select = selectOf(execution, request, names);
  const described = await database.rows(`DESCRIBE (${select})`, options);
  const table = tableOf(execution);
  const structure = described.map(([name, type]) => `${identifier(name ?? '')} ${type ?? ''}`);
  await database.command(
    `CREATE TABLE ${table} (${identifier(ROW_NUMBER)} UInt64 CODEC(Delta, LZ4), ${structure.join(', ')})
     ENGINE = MergeTree ORDER BY ${identifier(ROW_NUMBER)}`,
  );
  await onColumns(
    described.map(([name, type]) =>
      columnOf(name ?? '', bytes.has(name ?? '') ? 'BLOB' : (type ?? '')),
    ),
  );
  await database.command(`INSERT INTO ${table} SELECT rowNumberInAllBlocks(), * FROM (${select})`, {
    ...options,
    settings: {
      ...options.settings,
      // Insert rows as they arrive, in their order.
      min_insert_block_size_rows: '0',
      min_insert_block_size_bytes: '0',
      max_threads: 1,
      max_insert_threads: '1',
    },
  });
}

/**
 * Returns the columns of the query, without the bridge's hidden first one. Column finding runs the script on a few
 * traces; the orchestrator remembers the result for the query itself. Blob columns, which are String in ClickHouse,
 * have BLOB in their type here.
 */
async function answerColumns(
  database: ClickHouse,
  { perfettoSql }: Execution,
  { addresses, strict }: ExecutionRequest,
  options: CallOptions,
): Promise<{ name: string; type: string }[]> {
  const onFailure = literal(strict ? 'strict' : 'lenient');
  const [row] = await database.rows(
    `SELECT bigtrace_schema(${arrayLiteral(addresses)}, ${literal(perfettoSql)}, initialQueryID(), currentUser(), ${onFailure}, 'find')`,
    options,
  );
  return structureColumns(row?.[0] ?? '').slice(1);
}

function sourceOf({ perfettoSql }: Execution, { addresses, strict }: ExecutionRequest): string {
  const view = strict ? 'bigtrace' : 'bigtrace_lenient';
  return `bigtrace.${view}(traces = ${arrayLiteral(addresses)}, sql = ${literal(perfettoSql)})`;
}

/** Selects the trace address, its metadata, then the script's columns. */
function selectOf(
  execution: Execution,
  request: ExecutionRequest,
  queryColumns: readonly string[],
): string {
  const [address = '_trace_address', ...names] = queryColumns;
  const rows = `SELECT * FROM ${sourceOf(execution, request)} LIMIT ${execution.limit}`;
  const { metadataColumns, base } = request;
  const own = names.map((name) => `r.${identifier(name)} AS ${identifier(name)}`);
  const first = `r.${identifier(address)} AS ${identifier(address)}`;
  if (names.includes(ROW_NUMBER))
    throw badRequest(`column ${ROW_NUMBER} of the query has a reserved name; rename it`);
  if (metadataColumns.length === 0)
    return `SELECT ${[first, ...own].join(', ')} FROM (${rows}) AS r`;
  const taken = new Set(queryColumns);
  const metadata = metadataColumns.map((name) => {
    const value =
      name === 'link' ? linkSql(base, `r.${identifier(address)}`) : `m.${identifier(name)}`;
    // Avoid the names of the script's columns and of earlier metadata columns.
    let distinct = name;
    while (taken.has(distinct)) distinct = `trace_${distinct}`;
    taken.add(distinct);
    return `${value} AS ${identifier(distinct)}`;
  });
  return `SELECT ${[first, ...metadata, ...own].join(', ')} FROM (${rows}) AS r
    LEFT JOIN (SELECT * FROM ${TRACES}) AS m ON m.address = r.${identifier(address)}`;
}
