/**
 * The views that ask traces. They differ in where traces and columns come from, and in what a trace that fails
 * does; the rest is one template. The build makes a file of `sql/` of each. Plain JS, for the build imports it.
 */

const GIVEN = '{traces:Array(String)}';

const NONE = "CAST([], 'Array(String)')";

/** By an expression over bigtrace.traces. The orchestrator looks them up as a user who may read just that. */
const SELECTED = "[concat('/where/', {filter:String})]";

/** What is in column `address`, as a stream beside the request: there may be millions. */
const TABLE =
  "(SELECT CAST(address, 'String') AS trace FROM merge('bigtrace', concat('^\\\\Q', {table:String}, '\\\\E$')))";

/** The bridge's own columns. NOT NULL: under data_type_default_nullable a type is Nullable that does not say so. */
const HIDDEN = '_hb UInt8 NOT NULL, _trace_address String NOT NULL';

/** The columns of bigtrace_table are found over these, and not over the table's traces. */
const SAMPLE = '{sample:Array(String)}';

/** The client gives the columns, so no column finding is needed. */
const STRUCTURE = () => `concat('${HIDDEN}, ', {structure:String})`;

/** Metrics of a summary, a row for each row of each: the same columns for every specification. */
const METRICS = () =>
  `'${HIDDEN}, metric_id String NOT NULL, dimensions String NOT NULL, value Nullable(Float64)'`;

/** A trace that fails ends the query. */
const STRICT = "'strict'";

/** It does not, unless all fail; bigtrace.failures tells which, and why. */
const LENIENT = "'lenient'";

/** As the client says. */
const EITHER = '{on_failure:String}';

/**
 * The columns are found by running the script over some of `traces`. This is called for ClickHouse ('find') and
 * once more for the script's input ('again'); the answer is remembered under the query's id, so both have the same.
 */
function found(traces, onFailure) {
  return (purpose) =>
    `bigtrace_schema(${traces}, {sql:String}, initialQueryID(), currentUser(), ${onFailure}, '${purpose}')`;
}

/** The client's statement, as far as calls of views with few traces reach: ClickHouse ignores wrong arguments. */
const STATEMENT = `ifNull((SELECT substring(any(query), 1, 65536) FROM system.processes WHERE query_id = initialQueryID()), '')`;

/**
 * In front of the script's own columns stand `_trace_address`, and `_hb`: 1 in heartbeats, 2 in what names a
 * trace that failed (bridge/columns/structure.ts). Neither is a row.
 */
function view(name, parts, { format, prefix }) {
  const { traces = NONE, table, sample, sql = '{sql:String}', onFailure, failures = false } = parts;
  const { columns = found(traces, onFailure) } = parts;
  const request = `(SELECT ${traces} AS traces, ${sql} AS sql, initialQueryID() AS query_id, currentUser() AS user,
        ${onFailure} AS on_failure, ${columns('again')} AS structure,
        ${STATEMENT} AS statement${sample === undefined ? '' : `, {table:String} AS table, ${sample} AS sample`})`;
  const inputs = table === undefined ? [request] : [request, table];
  return `CREATE OR REPLACE VIEW bigtrace.${prefix}${name}
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
`;
}

const VIEWS = {
  // bigtrace(traces = ['/local/**', …], sql = '…')
  bigtrace: { traces: GIVEN, onFailure: STRICT },
  bigtrace_lenient: { traces: GIVEN, onFailure: LENIENT },
  // bigtrace_answers(traces = […], sql = '…'): for who must know which traces failed; their `_hb` is 2
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
 * Names of files, each with its statement. The bridge writes rows as ClickHouse's Native, which is what is
 * installed, or as CustomSeparated, TSV with an end mark; tests install views of that format too, under names with a prefix or in these's place.
 */
export function queryViews({ format = 'Native', prefix = '' } = {}) {
  return Object.entries(VIEWS).map(([name, parts]) => [
    `10-${prefix}${name}.sql`,
    view(name, parts, { format, prefix }),
  ]);
}
