/** Test cases for http.ci-test.ts. */

/**
 * Operator, value, field, and the names of the slices that pass the filter. The slices are `one`, `three` and
 * `50%_*[x]` with a duration of 1 µs, and `Two` with 2 µs.
 */
export const FILTERS: [string, string | null | (string | null)[] | undefined, string, string[]][] =
  [
    ['=', 'one', 'name', ['one']],
    ['!=', 'one', 'name', ['50%_*[x]', 'Two', 'three']],
    ['<', '2000', 'dur', ['50%_*[x]', 'one', 'three']],
    ['<=', '1000', 'dur', ['50%_*[x]', 'one', 'three']],
    ['>', '999.5', 'dur', ['50%_*[x]', 'Two', 'one', 'three']],
    ['>=', '1000.5', 'dur', ['Two']],
    ['=', '9223372036854775807', 'dur', []],
    ['<', '99999999999999999999', 'dur', ['50%_*[x]', 'Two', 'one', 'three']],
    ['glob', '*[tT][wWhH]*', 'name', ['Two', 'three']],
    ['glob', '*[[]x]', 'name', ['50%_*[x]']],
    ['glob', 't', 'name', []],
    ['not glob', '*o*', 'name', ['50%_*[x]', 'three']],
    ['glob', '2*', 'dur', ['Two']],
    ['in', ['one', 'three', "it's \\"], 'name', ['one', 'three']],
    ['not in', ['one', null], 'name', ['50%_*[x]', 'Two', 'three']],
    ['in', [], 'name', []],
    ['is null', undefined, 'name', []],
    ['is not null', null, 'name', ['50%_*[x]', 'Two', 'one', 'three']],
    ['=', null, 'name', []],
    // Values that are not of the column's type are compared with its text.
    ['=', 'x', 'dur', []],
    ['!=', '1 ms', 'dur', ['50%_*[x]', 'Two', 'one', 'three']],
    ['>', '', 'dur', ['50%_*[x]', 'Two', 'one', 'three']],
    ['>=', '1500x', 'dur', ['Two']],
    ['in', ['2000', 'x'], 'dur', ['Two']],
    ['not in', ['x'], 'dur', ['50%_*[x]', 'Two', 'one', 'three']],
  ];

/** Method, path, body, and the expected status and detail of the response. */
export const REFUSALS: [string, string, object, number, string | RegExp][] = [
  ['POST', '/execute_bigtrace_query', {}, 400, "body must have required property 'perfetto_sql'"],
  [
    'POST',
    '/execute_bigtrace_query',
    { perfetto_sql: ' ', limit: 1 },
    400,
    'perfetto_sql is empty',
  ],
  [
    'POST',
    '/execute_bigtrace_query',
    { perfetto_sql: 'SELECT 1', limit: 0 },
    400,
    'limit 0 must be from 1 to 100000',
  ],
  [
    'POST',
    '/execute_bigtrace_query',
    { perfetto_sql: 'SELECT nope', limit: 1 },
    400,
    /no such column: nope/,
  ],
  [
    ...(['POST', '/execute_bigtrace_query'] as const),
    { perfetto_sql: 'SELECT 1', settings: [{ setting_id: 'traces', values: ['a'] }] },
    ...([400, /^setting traces: \[a\]: trace address must start with \//] as const),
  ],
  [
    ...(['POST', '/execute_bigtrace_query'] as const),
    { perfetto_sql: 'SELECT 1', settings: [{ setting_id: 'where', values: ['1) OR (nope'] }] },
    ...([400, /^filter over bigtrace\.traces: .*nope/] as const),
  ],
  [
    ...(['POST', '/execute_bigtrace_query_async'] as const),
    { perfetto_sql: 'SELECT 1', settings: [{ setting_id: 'where', values: ['nope = 1'] }] },
    ...([400, /^filter over bigtrace\.traces: .*nope/] as const),
  ],
  [
    ...(['POST', '/execute_bigtrace_query_async'] as const),
    { perfetto_sql: 'SELECT 1', settings: [{ setting_id: 'traces', values: ['/where/nope > 1'] }] },
    ...([400, /^filter over bigtrace\.traces: .*nope/] as const),
  ],
  [
    ...(['POST', '/execute_bigtrace_query_async'] as const),
    { perfetto_sql: 'SELECT 1', table_name: 'x; DROP TABLE y' },
    ...([
      400,
      'table_name x; DROP TABLE y must begin with a letter or _ and contain only letters, digits and _, at most 128',
    ] as const),
  ],
  [
    'POST',
    '/execute_bigtrace_query',
    { perfetto_sql: 'SELECT 1', trace_limit: 1, trace_order_by: 'nope asc' },
    400,
    /^order by nope asc must be a column, alone or followed by asc or desc/,
  ],
  [
    'POST',
    '/trace_metadata',
    { limit: 100_001 },
    400,
    'limit 100001 must be <= 100000; fetch the rest with offset',
  ],
  [
    'POST',
    '/trace_metadata',
    { filters: [{ field: 'size', op: 'like' }] },
    400,
    /op must be equal to one of/,
  ],
  ['GET', '/query_executions/nope', {}, 404, 'there is no query nope'],
  ['GET', '/query_executions/nope:status', {}, 404, 'there is no query nope'],
  ['POST', '/query_executions/nope:fetch_results', {}, 404, 'there is no query nope'],
  ['GET', '/nowhere', {}, 404, 'there is no GET /nowhere'],
];

/** Setting, value, and the detail of the error. */
export const WRONG_SETTINGS: [string, string, RegExp][] = [
  ['traces', 'local/a', /^setting traces: \[local\/a\]: trace address must start with \//],
  ['where', '1) OR (nope', /nope|Syntax error/],
  ['where', 'nope = 1', /nope/],
  ['traces', '/where/nope > 1', /nope/],
  ['trace_limit', '1.5', /^setting trace_limit must be a whole number from 0 to 100000, not 1.5$/],
];

/** A manifest as Perfetto's own BigTrace server writes and reads it. */
export const MANIFEST = {
  trace_dir: '.',
  schema: [
    {
      ...{ name: 'is_treatment', displayName: 'Arm', type: 'BOOL', defaultVisible: false },
      description: 'Arm of the experiment',
    },
  ],
  traces: [
    { file_path: 'a.json', experiment_id: 7, is_treatment: true, system_name: 'Linux', link: 'x' },
    { file_path: 'b.json', experiment_id: 7, is_treatment: false, system_name: 'Linux', link: 'x' },
  ],
  presets: [
    { id: 'team', category: 'Team', name: 'Of the manifest', perfettoSql: 'SELECT 1 AS one' },
  ],
  experiments: [
    { experiment_id: 7, experiment_name: 'faster', control_id: 8, control_name: 'as before' },
  ],
};
