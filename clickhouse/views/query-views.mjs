/**
 * SQL of the views that run scripts on traces. They differ in the source of traces and columns, and in the handling of
 * failed traces; the rest is one template. The build writes each to a file in `sql/`. This is plain JavaScript because
 * the build imports it.
 */

import { readFileSync } from 'node:fs';
import {
  aboutView,
  COMMENTS,
  DESCRIPTIONS,
  helpView,
  literal,
  RESIDENT_DESCRIPTIONS,
} from './descriptions.mjs';
import { checkedByUrl, foundByUrl, reportByUrl, rowsByUrl, urlSettings } from './url-source.mjs';

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
const STRUCTURE = `concat('${HIDDEN}, ', {structure:String})`;

/** Columns of a summary, the same for every specification: one row per row of each metric. */
const METRICS = `'${HIDDEN}, metric_id String NOT NULL, dimensions String NOT NULL, value Nullable(Float64)'`;

/** A failed trace ends the query. */
const STRICT = "'strict'";

/** A failed trace does not end the query unless all traces fail. bigtrace.failures lists failed traces with reasons. */
const LENIENT = "'lenient'";

/** The client chooses between strict and lenient. */
const EITHER = '{on_failure:String}';

/**
 * Who is logged in to ClickHouse. It is not currentUser(): over the native protocol, a client that sends its query as one
 * of another server chooses that name. To a server of the same cluster that has proved the secret, nobody is logged in;
 * the name that it sends is true.
 */
const LOGGED_IN = "ifNull(nullIf(authenticatedUser(), ''), currentUser())";

/**
 * The user that the orchestrator counts the query for: the ClickHouse user; for queries of the HTTP API, whose
 * ClickHouse user all its callers share, the one that the API names (http-api/queries/plan.ts).
 */
const USER = `ifNull(nullIf(if(${LOGGED_IN} = 'bigtrace_backend',
        JSONExtractString(getSetting('log_comment'), 'user'), ''), ''), ${LOGGED_IN})`;

/**
 * The columns are determined by column finding on some of `traces`. ClickHouse calls this for its own use ('find') and
 * once more for the script's input ('again'). The orchestrator remembers the result by query ID, so that both get the
 * same columns.
 */
function found(traces, onFailure) {
  const values = (purpose) => [
    { sql: traces, isArray: true },
    ...['{sql:String}', 'initialQueryID()', USER, onFailure, `'${purpose}'`].map((sql) => ({
      sql,
    })),
  ];
  return {
    executable: (purpose) =>
      `bigtrace_schema(${values(purpose)
        .map(({ sql }) => sql)
        .join(', ')})`,
    // The resident bridge asks for the columns again itself.
    url: (purpose) => (purpose === 'find' ? foundByUrl(values(purpose)) : "''"),
  };
}

/** The same structure for both bridges. */
function given(structure) {
  return { executable: () => structure, url: () => structure };
}

/**
 * The first 65,536 bytes of the client's statement. The bridge checks the view calls in it for unknown arguments,
 * which ClickHouse ignores.
 */
const STATEMENT = `ifNull((SELECT substring(any(query), 1, 65536) FROM system.processes WHERE query_id = initialQueryID()), '')`;

/** The columns of the request: what the bridge reads (bridge/request/request.ts). */
function requestOf(parts, structure) {
  const { traces = NONE, sample, sql = '{sql:String}', onFailure } = parts;
  const columns = [
    { name: 'traces', sql: traces, isArray: true },
    { name: 'sql', sql },
    { name: 'query_id', sql: 'initialQueryID()' },
    { name: 'user', sql: USER },
    { name: 'on_failure', sql: onFailure },
    { name: 'structure', sql: structure },
    { name: 'statement', sql: STATEMENT },
  ];
  if (sample === undefined) return columns;
  const ofTable = [
    { name: 'table', sql: '{table:String}' },
    { name: 'sample', sql: sample, isArray: true },
  ];
  return [...columns, ...ofTable];
}

/** Functions that return the settings of the views, by the bridge that they use. */
const SETTINGS = { executable: () => "    profile = 'bigtrace_rows'", url: urlSettings };

/** ClickHouse executes the bridge. */
function executable(name, parts, format) {
  const { table, columns = found(parts.traces ?? NONE, parts.onFailure) } = parts;
  const request = requestOf(parts, columns.executable('again'));
  const select = request.map(({ name, sql }) => `${sql} AS ${name}`).join(',\n        ');
  const inputs = table === undefined ? [`(SELECT ${select})`] : [`(SELECT ${select})`, table];
  const source = `executable(
    'bigtrace query --format ${format}${table === undefined ? '' : ' --traces-fd 3'} --view ${name}',
    ${format},
    ${columns.executable('find')},
    ${inputs.join(',\n    ')},
    SETTINGS
        stderr_reaction = 'throw',
        command_read_timeout = 60000,
        command_write_timeout = 60000,
        command_termination_timeout = 1
)`;
  return { source, settings: SETTINGS.executable() };
}

/** The most addresses of a table that a request contains. */
const LIST_MAX = 10_000;

/**
 * ClickHouse calls the resident bridge. The addresses of a table are in the request; if there are too many, one empty
 * address tells the bridge to read the table (bridge/service/table-addresses.ts).
 */
function resident(name, parts) {
  const { table, columns = found(parts.traces ?? NONE, parts.onFailure) } = parts;
  const traces =
    table === undefined
      ? parts.traces
      : `(SELECT if(count() > ${LIST_MAX}, [''], groupArray(${LIST_MAX})(trace)) FROM ${table})`;
  const request = requestOf({ ...parts, traces }, columns.url('again'));
  const listed = table === undefined ? undefined : '{table:String}';
  const source = rowsByUrl(name, columns.url('find'), request, {
    table: listed,
    cluster: parts.cluster,
  });
  return { source, settings: SETTINGS.url() };
}

/**
 * Statement that creates a view. Two columns precede those of the script: `_trace_address`, and `_hb`, which is 1 in
 * heartbeats and 2 in rows that name a failed trace (bridge/columns/structure.ts).
 */
function view(name, parts, { format, bridge, prefix, database }) {
  const { source, settings } =
    bridge === 'url' ? resident(name, parts) : executable(name, parts, format);
  return `CREATE OR REPLACE VIEW ${database}.${prefix}${name}
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT *${parts.failures ? '' : ' EXCEPT (_hb)'}
FROM ${source}
WHERE _hb ${parts.failures ? '!= 1' : '= 0'}
SETTINGS
${settings}
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
  bigtrace_as: { traces: GIVEN, onFailure: STRICT, columns: given(STRUCTURE) },
  bigtrace_lenient_as: { traces: GIVEN, onFailure: LENIENT, columns: given(STRUCTURE) },
  bigtrace_answers_as: {
    traces: GIVEN,
    onFailure: LENIENT,
    columns: given(STRUCTURE),
    failures: true,
  },
  // bigtrace_where(filter = 'duration > 2e9', sql = '…')
  bigtrace_where: { traces: SELECTED, onFailure: STRICT },
  bigtrace_where_lenient: { traces: SELECTED, onFailure: LENIENT },
  // bigtrace_where_as(structure = 'name String', filter = 'duration > 2e9', sql = '…')
  bigtrace_where_as: { traces: SELECTED, onFailure: STRICT, columns: given(STRUCTURE) },
  bigtrace_where_lenient_as: { traces: SELECTED, onFailure: LENIENT, columns: given(STRUCTURE) },
  // bigtrace_table(table = 'chosen', sample = ['/local/a'], on_failure = 'strict', sql = '…')
  bigtrace_table: {
    table: TABLE,
    sample: SAMPLE,
    onFailure: EITHER,
    columns: found(SAMPLE, EITHER),
  },
  // bigtrace_table_as(structure = 'name String', table = 'chosen', on_failure = 'strict', sql = '…')
  bigtrace_table_as: { table: TABLE, onFailure: EITHER, columns: given(STRUCTURE) },
  // bigtrace_summary(traces = ['/local/**', …], spec = 'metric_spec { … }')
  bigtrace_summary: {
    traces: GIVEN,
    sql: "concat('SUMMARIZE TRACE\\n', {spec:String})",
    onFailure: STRICT,
    columns: given(METRICS),
  },
};

const CLUSTER = '{cluster:String}';

/** Views that only the resident bridge has. A server of a cluster reads its share of the rows. */
const SHARE_VIEWS = {
  // bigtrace_share(cluster = 'main', traces = ['/local/**', …], sql = '…')
  bigtrace_share: { cluster: CLUSTER, traces: GIVEN, onFailure: STRICT },
  bigtrace_share_as: {
    cluster: CLUSTER,
    traces: GIVEN,
    onFailure: STRICT,
    columns: given(STRUCTURE),
  },
};

/** Statement that creates a view whose rows all servers of a cluster read, each its share. */
function clusterView(name, share, parameters) {
  const values = Object.entries(parameters).map(([key, type]) => `${key} = {${key}:${type}}`);
  return `CREATE OR REPLACE VIEW bigtrace.${name}
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT *
FROM clusterAllReplicas(
    ${CLUSTER},
    view(SELECT * FROM bigtrace.${share}(${values.join(', ')}))
)
WHERE ${checkedByUrl(STATEMENT)}
COMMENT ${literal(COMMENTS.get(name) ?? '')}
`;
}

/**
 * Statement that creates the view with the columns of a script, as a structure. The HTTP API reads it before it creates the
 * table of a query (http-api/queries/fill-table.ts).
 */
function columnsView(bridge) {
  const structure = found(GIVEN, EITHER)[bridge]('find');
  return `CREATE OR REPLACE VIEW bigtrace.script_columns
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT ${structure} AS structure
SETTINGS
${SETTINGS[bridge]()}
COMMENT ${literal(COMMENTS.get('script_columns') ?? '')}
`;
}

function shareViews() {
  const parameters = { cluster: 'String', traces: 'Array(String)', sql: 'String' };
  const given = { structure: 'String', ...parameters };
  return [
    ...viewsOf(SHARE_VIEWS, { bridge: 'url' }),
    ['11-bigtrace_cluster.sql', clusterView('bigtrace_cluster', 'bigtrace_share', parameters)],
    ['11-bigtrace_cluster_as.sql', clusterView('bigtrace_cluster_as', 'bigtrace_share_as', given)],
  ];
}

function viewsOf(
  views,
  { format = 'Native', bridge = 'executable', prefix = '', database = 'bigtrace' },
) {
  return Object.entries(views).map(([name, parts]) => [
    `10-${prefix}${name}.sql`,
    view(name, parts, { format, bridge, prefix, database }),
  ]);
}

/**
 * Returns file names, each with its statement. The installed views use ClickHouse's format Native. Tests also use
 * CustomSeparated (TSV with an end mark), under prefixed names or in place of the installed views. The views are also
 * in the database `default`, which many clients choose unless they are told another.
 */
export function queryViews(options = {}) {
  return viewsOf(VIEWS, options);
}

const REPORTS = ['30-failures.sql', '31-progress.sql'];

/** Returns the files that replace those of the same names on a ClickHouse that calls the resident bridge. */
function residentSql() {
  const reports = REPORTS.map((name) => {
    const statement = readFileSync(new URL(`../sql/${name}`, import.meta.url), 'utf8');
    return [name, reportByUrl(statement)];
  });
  return [
    ...queryViews({ bridge: 'url' }),
    ...shareViews(),
    ...reports,
    ['12-script_columns.sql', columnsView('url')],
    ['38-help.sql', helpView(RESIDENT_DESCRIPTIONS)],
  ];
}

/** Returns the files that the set-up runs besides those of `sql/`: paths below `clickhouse/`, each with its statement. */
export function generatedSql(format) {
  const into = (directory, files) => files.map(([name, sql]) => [`${directory}/${name}`, sql]);
  return [
    ...into('sql', [
      ...queryViews({ format }),
      ['12-script_columns.sql', columnsView('executable')],
      ['38-help.sql', helpView(DESCRIPTIONS)],
      ['39-about.sql', aboutView()],
    ]),
    ...into('sql-default', queryViews({ format, database: 'default' })),
    ...into('sql-resident', residentSql()),
  ];
}
