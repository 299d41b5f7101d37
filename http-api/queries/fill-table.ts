/** Starts one query in ClickHouse: finds its columns, creates its table and inserts its rows. */

import type { ClickHouseSettings } from '@clickhouse/client';
import type { CallOptions, ClickHouse } from '../../lib/clickhouse/client.ts';
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { arrayLiteral, identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { wholeScript } from '../sessions/kept.ts';
import { structureColumns } from '../sql/sql-text.ts';
import { linkSql, TRACES } from '../sql/traces.ts';
import { BYTES_COMMENT } from './columns.ts';
import type { Execution } from './history.ts';
import { insertComment, type Plan, RESULTS, startName, tableOf, userComment } from './plan.ts';
import { distinctName } from './result-relation.ts';
import { ROW_NUMBER, type Runs } from './runs.ts';

/**
 * Starts the query in ClickHouse and waits for its end. Any replica may do so at any time: ClickHouse runs one statement
 * with the query's ID at a time, and the INSERT ends at once unless this start is the latest and made the table.
 */
export async function fillTable(
  database: ClickHouse,
  runs: Runs,
  execution: Execution,
  plan: Plan,
): Promise<void> {
  const options: CallOptions = {
    queryId: execution.uuid,
    settings: {
      join_use_nulls: 1, // a trace that is not in the catalog has no metadata
      log_comment: userComment(execution),
      ...(plan.timeoutS === 0 ? {} : { max_execution_time: plan.timeoutS }),
    },
  };
  const queryColumns = await findColumns(database, execution, plan, options);
  const bytes = new Set(
    queryColumns.filter(({ type }) => type.includes('BLOB')).map(({ name }) => name),
  );
  const names = queryColumns.map(({ name }) => name);
  const select = selectOf(execution, plan, names, sourceOf(execution, plan));
  // For a DESCRIBE of the view ClickHouse would start a bridge, and the query would run until it is described.
  const likeIt = selectOf(execution, plan, names, likeSource(queryColumns));
  const described = await database.rows(`DESCRIBE (${likeIt})`, options);
  const structure = described.map(([name, type]) => {
    const comment = bytes.has(name ?? '') ? ` COMMENT ${literal(BYTES_COMMENT)}` : '';
    return `${identifier(name ?? '')} ${type ?? ''}${comment}`;
  });
  const table = tableOf(execution);
  await runs.dropEarlier(execution);
  await database.command(
    `CREATE TABLE ${table} (${identifier(ROW_NUMBER)} UInt64 CODEC(Delta, LZ4), ${structure.join(', ')})
     ENGINE = MergeTree ORDER BY ${identifier(ROW_NUMBER)} COMMENT ${literal(startName(execution))}`,
  );
  await database.command(
    `INSERT INTO ${table} SELECT rowNumberInAllBlocks(), * FROM (${select}) WHERE ${isLatest(execution)}`,
    { ...options, settings: { ...options.settings, ...INSERT_SETTINGS, ...logged(execution) } },
  );
}

const INSERT_SETTINGS: ClickHouseSettings = {
  // Insert rows as they arrive, in their order.
  min_insert_block_size_rows: '0',
  min_insert_block_size_bytes: '0',
  min_joined_block_size_rows: '0',
  min_joined_block_size_bytes: '0',
  max_threads: 1,
  max_insert_threads: '1',
};

/** The query log says how the statement ended (runs.ts), if no replica was there to see it. */
function logged(execution: Execution): ClickHouseSettings {
  return {
    log_queries: 1,
    log_queries_min_type: 'QUERY_START',
    log_queries_min_query_duration_ms: 0,
    log_queries_probability: 1,
    log_comment: insertComment(execution),
  };
}

/** Message of the INSERT of a start that is not the latest any more. */
export const NOT_LATEST = 'this start of the query is not the latest';

/** SQL condition, which ClickHouse evaluates once the statement is in system.processes. It holds, or throws. */
function isLatest(execution: Execution): string {
  const latest = `SELECT max(version) FROM bigtrace.query_history WHERE uuid = ${literal(execution.uuid)}`;
  const ofStart = `SELECT count() FROM system.tables WHERE database = ${literal(RESULTS)}
    AND name = ${literal(execution.tableName)} AND comment = ${literal(startName(execution))}`;
  return `throwIf((${latest}) != ${execution.version} OR (${ofStart}) = 0, ${literal(NOT_LATEST)}) = 0`;
}

/**
 * Returns the columns of the query, without the bridge's hidden first one. Column finding runs the script on a few
 * traces; the orchestrator remembers the result for the query itself. Blob columns, which are String in ClickHouse,
 * have BLOB in their type here.
 */
async function findColumns(
  database: ClickHouse,
  execution: Execution,
  plan: Plan,
  options: CallOptions,
): Promise<{ name: string; type: string }[]> {
  const { addresses, strict } = plan;
  const onFailure = literal(strict ? 'strict' : 'lenient');
  const [row] = await database
    .rows(
      `SELECT structure FROM bigtrace.script_columns(traces = ${arrayLiteral(addresses)}, sql = ${literal(scriptOf(execution, plan))}, on_failure = ${onFailure})`,
      options,
    )
    .catch(explainOlderViews);
  return structureColumns(row?.[0] ?? '').slice(1);
}

/** ClickHouse takes a view that it does not have for a table function. */
function explainOlderViews(thrown: unknown): never {
  const isMissing = (thrown as Error).message.includes('bigtrace.script_columns');
  if (!isMissing || clickHouseErrorType(thrown) !== 'UNKNOWN_FUNCTION') throw thrown;
  throw new BigtraceError(
    'catalog_failed',
    'ClickHouse lacks the view bigtrace.script_columns: its views are of an older version than the HTTP API; start ' +
      'ClickHouse of the same version, or on a ClickHouse of your own, run `bigtrace clickhouse install` again',
    { cause: (thrown as Error).cause },
  );
}

function sourceOf(execution: Execution, plan: Plan): string {
  const { addresses, strict } = plan;
  const view = strict ? 'bigtrace' : 'bigtrace_lenient';
  return `bigtrace.${view}(traces = ${arrayLiteral(addresses)}, sql = ${literal(scriptOf(execution, plan))})`;
}

/** A table with these columns. */
function likeSource(queryColumns: readonly { name: string; type: string }[]): string {
  const values = queryColumns.map(
    ({ name, type }) =>
      `defaultValueOfTypeName(${literal(type.replace(/ NOT NULL$/, ''))}) AS ${identifier(name)}`,
  );
  return `(SELECT ${values.join(', ')})`;
}

function scriptOf({ prelude, perfettoSql }: Execution, { ending = '' }: Plan): string {
  return wholeScript(prelude, perfettoSql, ending);
}

/** Selects the trace address, the script's columns, then metadata of the trace, of the first rows of `source`. */
function selectOf(
  execution: Execution,
  plan: Plan,
  queryColumns: readonly string[],
  source: string,
): string {
  const [address = '_trace_address', ...names] = queryColumns;
  const rows = `SELECT * FROM ${source} LIMIT ${execution.limit}`;
  const { base } = plan;
  const metadataColumns = plan.metadataColumns.filter((name) => name !== 'address'); // it is the first column
  const own = names.map((name) => `r.${identifier(name)} AS ${identifier(name)}`);
  const first = `r.${identifier(address)} AS ${identifier(address)}`;
  if (names.includes(ROW_NUMBER))
    throw badRequest(`column ${ROW_NUMBER} of the query has a reserved name; rename it`);
  if (metadataColumns.length === 0)
    return `SELECT ${[first, ...own].join(', ')} FROM (${rows}) AS r`;
  const usedNames = new Set(queryColumns);
  const metadata = metadataColumns.map((name) => {
    const value =
      name === 'link' ? linkSql(base, `r.${identifier(address)}`) : `m.${identifier(name)}`;
    return `${value} AS ${identifier(distinctName(name, usedNames))}`;
  });
  return `SELECT ${[first, ...own, ...metadata].join(', ')} FROM (${rows}) AS r
    LEFT JOIN (SELECT * FROM ${TRACES}) AS m ON m.address = r.${identifier(address)}`;
}
