/**
 * What each object of the database `bigtrace` is for. Tools that browse show it as the comment of the object, and the
 * view bigtrace.help lists it. This is plain JavaScript because the build imports it.
 */

const TRACES = "traces = ['/local/**']";
const FILTER = "filter = 'format = \\'proto\\''";
const TABLE = "table = 'trace_catalog'";
const STRUCTURE = "structure = 'name String, dur Int64'";
const SLICES = "sql = 'SELECT name, dur FROM slice WHERE name IS NOT NULL'";
const SPEC = `spec = 'metric_spec { id: "slices" value: "n" query { sql { sql: "SELECT count(*) AS n FROM slice" } } }'`;

const STRICT = 'A trace that fails ends the query.';
const LENIENT = 'Traces that fail are skipped, and listed in bigtrace.failures.';
const ANSWERS = 'Column _hb is 0 in rows, and 2 in a row that only names a trace that failed.';
const GIVEN = 'The parameter structure gives the columns, so that no trace is read to find them.';

const RUNS = 'Runs a PerfettoSQL script on each trace and returns its rows.';
const CHOOSES =
  'Runs a PerfettoSQL script on each trace of bigtrace.traces that the filter selects.';
const LISTED =
  'Runs a PerfettoSQL script on each trace that column address of a table of database bigtrace lists.';

const CALLS = 'README.md#views-and-tables';
const CATALOG = 'docs/catalog.md';
const INTERNAL = 'Internal, do not rely on it:';

const call = (name, ...parameters) => `SELECT * FROM bigtrace.${name}(${parameters.join(', ')})`;
const some = (table) => `SELECT * FROM bigtrace.${table} LIMIT 10`;

/** Name, signature, purpose, example (empty: not for users), page of the documentation. */
const ROWS = [
  ['about', 'about', 'The same as help, first where names are sorted.', some('about'), CALLS],
  ['help', 'help', 'What is in this database, and how to use it.', some('help'), CALLS],
  [
    ...['bigtrace', '(traces Array(String), sql String)', `${RUNS} ${STRICT}`],
    ...[call('bigtrace', TRACES, SLICES), CALLS],
  ],
  [
    ...['bigtrace_lenient', '(traces Array(String), sql String)', `${RUNS} ${LENIENT}`],
    ...[call('bigtrace_lenient', TRACES, SLICES), CALLS],
  ],
  [
    ...['bigtrace_answers', '(traces Array(String), sql String)', `${RUNS} ${LENIENT} ${ANSWERS}`],
    ...[call('bigtrace_answers', TRACES, SLICES), CALLS],
  ],
  [
    ...['bigtrace_where', '(filter String, sql String)', `${CHOOSES} ${STRICT}`],
    ...[call('bigtrace_where', FILTER, SLICES), `${CATALOG}#select-traces`],
  ],
  [
    ...['bigtrace_where_lenient', '(filter String, sql String)', `${CHOOSES} ${LENIENT}`],
    ...[call('bigtrace_where_lenient', FILTER, SLICES), `${CATALOG}#select-traces`],
  ],
  [
    'bigtrace_table',
    '(table String, sample Array(String), on_failure String, sql String)',
    `${LISTED} The columns are found on the traces of sample; on_failure is strict or lenient.`,
    call('bigtrace_table', TABLE, "sample = ['/local/**']", "on_failure = 'lenient'", SLICES),
    CALLS,
  ],
  [
    'bigtrace_summary',
    '(traces Array(String), spec String)',
    `Computes the metrics of a TraceSummarySpec (textproto) on each trace. ${STRICT}`,
    call('bigtrace_summary', TRACES, SPEC),
    'docs/own-sql.md#trace-summaries',
  ],
  [
    ...['bigtrace_as', '(structure String, traces Array(String), sql String)'],
    ...[`${RUNS} ${GIVEN} ${STRICT}`, call('bigtrace_as', STRUCTURE, TRACES, SLICES), CALLS],
  ],
  [
    ...['bigtrace_lenient_as', '(structure String, traces Array(String), sql String)'],
    ...[`${RUNS} ${GIVEN} ${LENIENT}`, call('bigtrace_lenient_as', STRUCTURE, TRACES, SLICES)],
    CALLS,
  ],
  [
    ...['bigtrace_answers_as', '(structure String, traces Array(String), sql String)'],
    `${RUNS} ${GIVEN} ${LENIENT} ${ANSWERS}`,
    ...[call('bigtrace_answers_as', STRUCTURE, TRACES, SLICES), CALLS],
  ],
  [
    ...['bigtrace_where_as', '(structure String, filter String, sql String)'],
    `${CHOOSES} ${GIVEN} ${STRICT}`,
    ...[call('bigtrace_where_as', STRUCTURE, FILTER, SLICES), `${CATALOG}#select-traces`],
  ],
  [
    ...['bigtrace_where_lenient_as', '(structure String, filter String, sql String)'],
    `${CHOOSES} ${GIVEN} ${LENIENT}`,
    ...[call('bigtrace_where_lenient_as', STRUCTURE, FILTER, SLICES), `${CATALOG}#select-traces`],
  ],
  [
    ...['bigtrace_table_as', '(structure String, table String, on_failure String, sql String)'],
    `${LISTED} ${GIVEN} on_failure is strict or lenient.`,
    ...[call('bigtrace_table_as', STRUCTURE, TABLE, "on_failure = 'lenient'", SLICES), CALLS],
  ],
  [
    ...['traces', 'traces', 'The catalog: one row per trace that bigtrace index has read.'],
    ...[some('traces'), CATALOG],
  ],
  [
    ...['progress', 'progress', 'Running queries: traces done, time left, traces in work.'],
    ...[some('progress'), CALLS],
  ],
  [
    ...['failures', 'failures', 'Traces and queries that failed recently, with the reason.'],
    ...['SELECT trace, code, message FROM bigtrace.failures ORDER BY time DESC LIMIT 10', CALLS],
  ],
  [
    ...['query_history', 'query_history', 'Queries sent over HTTP, and their state.'],
    ...['SELECT * FROM bigtrace.query_history FINAL LIMIT 10', 'docs/http.md'],
  ],
  ['http_logins', 'http_logins', `${INTERNAL} logins of browsers.`, '', 'docs/http.md'],
  [
    'materialized_traces',
    'materialized_traces',
    'The traces in each table of bigtrace materialize.',
    'SELECT table_name, count() FROM bigtrace.materialized_traces FINAL GROUP BY table_name',
    'docs/http.md',
  ],
  [
    ...['trace_catalog', 'trace_catalog', 'Table behind bigtrace.traces. Read that view instead.'],
    ...['', CATALOG],
  ],
  ['trace_listing', 'trace_listing', `${INTERNAL} traces that an index run listed.`, '', CATALOG],
  ['trace_extra', 'trace_extra', `${INTERNAL} results of index --extra-sql.`, '', CATALOG],
  [
    ...['trace_label_values', 'trace_label_values', `${INTERNAL} values of index --manifest.`],
    ...['', CATALOG],
  ],
  [
    ...['trace_column_types', 'trace_column_types', `${INTERNAL} types of added columns.`],
    ...['', CATALOG],
  ],
  [
    ...['manifest_parts', 'manifest_parts', `${INTERNAL} columns and presets of index --manifest.`],
    ...['', CATALOG],
  ],
  ['trace_labels', 'trace_labels', `${INTERNAL} data of an earlier version.`, '', CATALOG],
  ['trace_columns', 'trace_columns', `${INTERNAL} data of an earlier version.`, '', CATALOG],
  [
    ...['query_clients', 'query_clients', `${INTERNAL} whether clients still wait.`],
    ...['', 'docs/ARCHITECTURE.md'],
  ],
  [
    'script_columns',
    '(traces Array(String), sql String, on_failure String)',
    `${INTERNAL} the columns of a script, for the HTTP API. Call DESCRIBE (SELECT * FROM bigtrace.bigtrace(…)).`,
    ...['', 'docs/column-types.md'],
  ],
  [
    'bigtrace_schema',
    '(traces Array(String), sql String, query_id String, user String, on_failure String, purpose String)',
    `${INTERNAL} a function that finds the columns of a script. Call DESCRIBE (SELECT * FROM bigtrace.bigtrace(…)).`,
    ...['', 'docs/column-types.md'],
  ],
];

const CLUSTER = "cluster = 'main'";
const PULLS = 'The servers of the cluster share the rows: each reads those of other traces.';
const WITHIN = "Call it in clusterAllReplicas('main', view(…)), which aggregates on each server.";
const OWN = 'docs/deploy/own-clickhouse.md#many-servers';
const inCluster = (name, ...parameters) =>
  `SELECT sum(n) FROM clusterAllReplicas('main', view(SELECT count() AS n FROM bigtrace.${name}(${parameters.join(', ')})))`;

/** What only the resident bridge has. */
const RESIDENT_ROWS = [
  [
    ...['bigtrace_cluster', '(cluster String, traces Array(String), sql String)'],
    ...[`${RUNS} ${PULLS} ${STRICT}`, call('bigtrace_cluster', CLUSTER, TRACES, SLICES), OWN],
  ],
  [
    'bigtrace_cluster_as',
    '(structure String, cluster String, traces Array(String), sql String)',
    `${RUNS} ${PULLS} ${GIVEN} ${STRICT}`,
    ...[call('bigtrace_cluster_as', STRUCTURE, CLUSTER, TRACES, SLICES), OWN],
  ],
  [
    ...['bigtrace_share', '(cluster String, traces Array(String), sql String)'],
    `Returns the rows of bigtrace_cluster that this server reads. ${WITHIN}`,
    ...[inCluster('bigtrace_share', CLUSTER, TRACES, SLICES), OWN],
  ],
  [
    'bigtrace_share_as',
    '(structure String, cluster String, traces Array(String), sql String)',
    `Returns the rows of bigtrace_cluster_as that this server reads. ${WITHIN}`,
    ...[inCluster('bigtrace_share_as', STRUCTURE, CLUSTER, TRACES, SLICES), OWN],
  ],
];

const described = ([name, signature, purpose, example, page]) => ({
  name,
  signature: signature.startsWith('(') ? `${name}${signature}` : signature,
  purpose,
  example,
  page,
});

/** Every table, view and function of the database, in the order in which to read about them. */
export const DESCRIPTIONS = ROWS.map(described);

/** The same for a ClickHouse with the resident bridge, which has no function. */
export const RESIDENT_DESCRIPTIONS = [...ROWS, ...RESIDENT_ROWS]
  .map(described)
  .filter(({ name }) => name !== 'bigtrace_schema');

/** Comments of tables and views, by name. The function cannot have one. */
export const COMMENTS = new Map(
  [...DESCRIPTIONS, ...RESIDENT_ROWS.map(described)]
    .filter(({ name }) => name !== 'bigtrace_schema')
    .map((one) => [
      one.name,
      [
        one.signature,
        one.purpose,
        ...(one.example === '' ? [] : [`Example: ${one.example}`]),
        `Documentation: ${one.page}; all objects: SELECT * FROM bigtrace.help`,
      ].join('\n'),
    ]),
);

/** A string literal of ClickHouse. */
export function literal(text) {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Statement that creates the view bigtrace.about: tools sort by name, and this one precedes those of the other views. */
export function aboutView() {
  return `CREATE OR REPLACE VIEW bigtrace.about
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT * FROM bigtrace.help
`;
}

/** Statement that creates the view bigtrace.help. */
export function helpView(descriptions) {
  const rows = descriptions.map(
    (one, nth) =>
      `(${nth}, ${[one.name, one.signature, one.purpose, one.example, one.page].map(literal).join(', ')})`,
  );
  return `CREATE OR REPLACE VIEW bigtrace.help
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT name, signature, purpose, example, documentation
FROM values('nth UInt8, name String, signature String, purpose String, example String, documentation String',
${rows.join(',\n')})
ORDER BY nth
`;
}
