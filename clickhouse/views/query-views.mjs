/**
 * SQL of the views that run scripts on traces. They differ in the source of traces and columns, and in the handling of
 * failed traces; the rest is one template. The build writes each to a file in `sql/`. This is plain JavaScript because
 * the build imports it.
 */

import { aboutView, COMMENTS, helpView, literal } from './descriptions.mjs';

const GIVEN = '{traces:Array(String)}';

const NONE = "CAST([], 'Array(String)')";

/** Traces by an expression over bigtrace.traces. The orchestrator looks them up as a user who may read only that. */
const SELECTED = "[concat('/where/', {filter:String})]";

/**
 * Addresses from the column `address` of a table, streamed in addition to the request, because there may be millions.
 */
const TABLE =
  "(SELECT CAST(address, 'String') AS trace FROM merge('bigtrace', concat('^\\\\Q', {table:String}, '\\\\E$')))";

/** The bridge's own columns. NOT NULL is explicit, because data_type_default_nullable makes other types Nullable. */
const HIDDEN = '_hb UInt8 NOT NULL, _trace_address String NOT NULL';

/** Traces for the column finding of bigtrace_table, which does not use the traces of the table. */
const SAMPLE = '{sample:Array(String)}';

/** The client specifies the columns, so no column finding is needed. */
const STRUCTURE = () => `concat('${HIDDEN}, ', {structure:String})`;

/** Columns of a summary, the same for every specification: one row per row of each metric. */
const METRICS = () =>
  `'${HIDDEN}, metric_id String NOT NULL, dimensions String NOT NULL, value Nullable(Float64)'`;

/** A failed trace ends the query. */
const STRICT = "'strict'";

/** A failed trace does not end the query unless all traces fail. bigtrace.failures lists failed traces with reasons. */
const LENIENT = "'lenient'";

/** The client chooses between strict and lenient. */
const EITHER = '{on_failure:String}';

/**
 * The user that the orchestrator counts the query for: the ClickHouse user; for queries of the HTTP API, whose
 * ClickHouse user all its callers share, the one that the API names (http-api/queries/plan.ts).
 */
const USER = `ifNull(nullIf(if(currentUser() = 'bigtrace_backend',
        JSONExtractString(getSetting('log_comment'), 'user'), ''), ''), currentUser())`;

/**
 * The columns are determined by column finding on some of `traces`. ClickHouse calls this for its own use ('find') and
 * once more for the script's input ('again'). The orchestrator remembers the result by query ID, so that both get the
 * same columns.
 */
function found(traces, onFailure) {
  return (purpose) =>
    `bigtrace_schema(${traces}, {sql:String}, initialQueryID(), ${USER}, ${onFailure}, '${purpose}')`;
}

/**
 * The first 65,536 bytes of the client's statement. The bridge checks the view calls in it for unknown arguments,
 * which ClickHouse ignores.
 */
const STATEMENT = `ifNull((SELECT substring(any(query), 1, 65536) FROM system.processes WHERE query_id = initialQueryID()), '')`;

/**
 * Statement that creates a view. Two columns precede those of the script: `_trace_address`, and `_hb`, which is 1 in
 * heartbeats and 2 in rows that name a failed trace (bridge/columns/structure.ts).
 */
function view(name, parts, { format, prefix, database }) {
  const { traces = NONE, table, sample, sql = '{sql:String}', onFailure, failures = false } = parts;
  const { columns = found(traces, onFailure) } = parts;
  const request = `(SELECT ${traces} AS traces, ${sql} AS sql, initialQueryID() AS query_id, ${USER} AS user,
        ${onFailure} AS on_failure, ${columns('again')} AS structure,
        ${STATEMENT} AS statement${sample === undefined ? '' : `, {table:String} AS table, ${sample} AS sample`})`;
  const inputs = table === undefined ? [request] : [request, table];
  return `CREATE OR REPLACE VIEW ${database}.${prefix}${name}
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT *${failures ? '' : ' EXCEPT (_hb)'}
FROM executable(
    'bigtrace query --format ${format}${table === undefined ? '' : ' --traces-fd 3'} --view ${name}',
    ${format},
    ${columns('find')},
    ${inputs.join(',\n    ')},
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 60000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)
WHERE _hb ${failures ? '!= 1' : '= 0'}
SETTINGS profile = 'bigtrace_rows'
COMMENT ${literal(COMMENTS.get(name) ?? '')}
`;
}

const VIEWS = {
  // bigtrace(traces = ['/local/**', …], sql = '…')
  bigtrace: { traces: GIVEN, onFailure: STRICT },
  bigtrace_lenient: { traces: GIVEN, onFailure: LENIENT },
  // bigtrace_answers(traces = […], sql = '…'): also returns a row with `_hb` = 2 for each failed trace
  bigtrace_answers: { traces: GIVEN, onFailure: LENIENT, failures: true },
  // bigtrace_as(structure = 'name String, dur Int64', traces = […], sql = '…')
  bigtrace_as: { traces: GIVEN, onFailure: STRICT, columns: STRUCTURE },
  bigtrace_lenient_as: { traces: GIVEN, onFailure: LENIENT, columns: STRUCTURE },
  bigtrace_answers_as: { traces: GIVEN, onFailure: LENIENT, columns: STRUCTURE, failures: true },
  // bigtrace_where(filter = 'duration > 2e9', sql = '…')
  bigtrace_where: { traces: SELECTED, onFailure: STRICT },
  bigtrace_where_lenient: { traces: SELECTED, onFailure: LENIENT },
  // bigtrace_where_as(structure = 'name String', filter = 'duration > 2e9', sql = '…')
  bigtrace_where_as: { traces: SELECTED, onFailure: STRICT, columns: STRUCTURE },
  bigtrace_where_lenient_as: { traces: SELECTED, onFailure: LENIENT, columns: STRUCTURE },
  // bigtrace_table(table = 'chosen', sample = ['/local/a'], on_failure = 'strict', sql = '…')
  bigtrace_table: {
    table: TABLE,
    sample: SAMPLE,
    onFailure: EITHER,
    columns: found(SAMPLE, EITHER),
  },
  // bigtrace_table_as(structure = 'name String', table = 'chosen', on_failure = 'strict', sql = '…')
  bigtrace_table_as: { table: TABLE, onFailure: EITHER, columns: STRUCTURE },
  // bigtrace_summary(traces = ['/local/**', …], spec = 'metric_spec { … }')
  bigtrace_summary: {
    traces: GIVEN,
    sql: "concat('SUMMARIZE TRACE\\n', {spec:String})",
    onFailure: STRICT,
    columns: METRICS,
  },
};

/**
 * Returns file names, each with its statement. The installed views use ClickHouse's format Native. Tests also use
 * CustomSeparated (TSV with an end mark), under prefixed names or in place of the installed views. The views are also
 * in the database `default`, which many clients choose unless they are told another.
 */
export function queryViews({ format = 'Native', prefix = '', database = 'bigtrace' } = {}) {
  return Object.entries(VIEWS).map(([name, parts]) => [
    `10-${prefix}${name}.sql`,
    view(name, parts, { format, prefix, database }),
  ]);
}

/** Returns the files that the set-up runs besides those of `sql/`: paths below `clickhouse/`, each with its statement. */
export function generatedSql(format) {
  const into = (directory, files) => files.map(([name, sql]) => [`${directory}/${name}`, sql]);
  return [
    ...into('sql', [
      ...queryViews({ format }),
      ['38-help.sql', helpView()],
      ['39-about.sql', aboutView()],
    ]),
    ...into('sql-default', queryViews({ format, database: 'default' })),
  ];
}
