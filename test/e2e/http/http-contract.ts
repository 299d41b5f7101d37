/** The exact bodies of two calls of the HTTP API, for http.ci-test.ts. */

const NUMBER = { min: 0 };

/** Of POST /bigtrace_execution_config, of a system whose default traces are `/local/**`. */
export const EXECUTION_CONFIG = {
  setting: [
    {
      id: 'traces',
      name: 'Traces',
      description:
        'Addresses or patterns, such as /local/** or /gcs/bucket/o/2026-*/*.pftrace, or /where/ and an expression over bigtrace.traces; without any, all traces of the catalog',
      category: 'TRACE_ADDRESS',
      stringArray: { defaultValues: ['/local/**'] },
    },
    {
      id: 'where',
      name: 'Where',
      description:
        "Only traces for which this holds: a ClickHouse expression over bigtrace.traces, such as duration > 2e9 AND arch = 'x86_64'",
      category: 'TRACE_ADDRESS',
      disabled: true,
      plainString: { defaultValue: '' },
    },
    {
      id: 'trace_uuids',
      name: 'Trace UUIDs',
      description: 'Only traces of the catalog with one of these values in the column uuid',
      category: 'TRACE_ADDRESS',
      disabled: true,
      stringArray: { defaultValues: [] },
    },
    {
      id: 'trace_limit',
      name: 'Trace limit',
      description:
        'At most this many of the selected traces, which must be in the catalog, in the order of the grid. Ignored if 0',
      category: 'TRACE_ADDRESS',
      number: { ...NUMBER, defaultValue: 0, max: 100_000 },
    },
    {
      id: 'on_failure',
      name: 'When a trace fails',
      description: 'Whether the query continues with the other traces',
      category: 'BIGTRACE_QUERY_OPTIONS',
      stringEnum: {
        defaultValue: 'lenient',
        options: [
          { value: 'lenient', label: 'report it and continue' },
          { value: 'strict', label: 'end the query' },
        ],
      },
    },
    {
      id: 'session',
      name: 'Session',
      description:
        'Whether what your earlier scripts defined (INCLUDE, CREATE PERFETTO …) runs before this one, and what it defines before later ones; for users with a login',
      category: 'BIGTRACE_QUERY_OPTIONS',
      stringEnum: {
        defaultValue: 'on',
        options: [
          { value: 'on', label: 'on' },
          { value: 'off', label: 'off' },
        ],
      },
    },
    {
      id: 'timeout_s',
      name: 'Time limit',
      description: 'In seconds; 0: the limit of the orchestrator',
      category: 'BIGTRACE_QUERY_OPTIONS',
      number: { ...NUMBER, defaultValue: 0, max: 86_400 },
    },
  ],
};

type Column = [name: string, type: string, visible?: 'visible' | undefined, description?: string];

const COLUMNS: Column[] = [
  ['link', 'STRING', 'visible', 'Opens the trace in the Perfetto UI'],
  ['address', 'STRING', 'visible', 'How queries name the trace'],
  ['store', 'STRING'],
  ['size', 'UINT64', 'visible', 'Bytes'],
  ['generation', 'STRING'],
  ['modified', 'TIMESTAMP'],
  ['indexed_at', 'TIMESTAMP'],
  ['vanished_at', 'TIMESTAMP'],
  ['error_code', 'STRING', 'visible', 'Error of a trace that cannot be loaded; otherwise empty'],
  ['error', 'STRING'],
  ['format', 'STRING'],
  ['duration', 'INT64', 'visible'],
  ['start_time', 'TIMESTAMP', 'visible'],
  ['uuid', 'STRING'],
  ['system_name', 'STRING'],
  ['os_release', 'STRING'],
  ['arch', 'STRING'],
  ['device', 'STRING'],
  ['android_build', 'STRING'],
  ['android_sdk', 'STRING'],
  ['chrome_version', 'STRING'],
  ['session_name', 'STRING'],
  ['verdict', 'STRING'],
  ['error_stats', 'STRING'],
  ['row_counts', 'STRING'],
  ['warnings', 'STRING'],
  ['metadata', 'STRING'],
  ['control_id', 'INT64', 'visible'], // columns of a manifest are visible
  ['control_name', 'STRING', 'visible'],
  ['experiment_id', 'INT64', 'visible'],
  ['experiment_name', 'STRING', 'visible'],
  ['file_path', 'STRING', 'visible'],
  ['is_treatment', 'STRING', undefined, 'Arm of the experiment'],
];

/** Of POST /trace_metadata_schema, of a catalog with the columns of MANIFEST (http-cases.ts). */
export const METADATA_SCHEMA = {
  columns: COLUMNS.map(([name, type, visible, description]) => ({
    ...{ name, type, defaultVisible: visible !== undefined },
    ...(description === undefined ? {} : { description }),
  })),
};
