/**
 * SQL of the views for a ClickHouse that cannot execute the bridge: they read rows from the resident bridge with the
 * table function url(). This is plain JavaScript because the build imports it.
 *
 * The named collection has the address of the bridge and its token, which only bigtrace_definer may use. So whoever the
 * view names as the user has called the view.
 */
import { readFileSync } from 'node:fs';

/** The named collection that `bigtrace clickhouse install` creates. */
export const COLLECTION = 'bigtrace_bridge';

/** ClickHouse reads this much before it looks for a cancelled query (bridge/service/blocks.ts). */
export const READ_BUFFER_BYTES = 16 * 1024;

/** Settings of the views beside those of the profile bigtrace_rows: how ClickHouse calls the bridge. */
const HTTP_SETTINGS = {
  http_make_head_request: 0,
  // Otherwise rows that were read before a connection broke could come twice.
  http_max_tries: 1,
  http_retry_initial_backoff_ms: 100,
  http_retry_max_backoff_ms: 10_000,
  max_http_get_redirects: 0,
  http_connection_timeout: 10,
  // The bridge sends a heartbeat each 0.2 s.
  http_receive_timeout: 60,
  http_send_timeout: 60,
  max_read_buffer_size: READ_BUFFER_BYTES,
  optimize_count_from_files: 0,
  use_cache_for_count_from_files: 0,
  // Otherwise each replica would ask the bridge for all rows.
  parallel_replicas_for_cluster_engines: 0,
  url_base: '',
  enable_url_encoding: 1,
};

const PROFILE = new URL('../users.d/bigtrace.xml', import.meta.url);

/** The settings of the profile bigtrace_rows, which this ClickHouse does not have, and those of HTTP. */
export function urlSettings() {
  const xml = readFileSync(PROFILE, 'utf8');
  const [, profile = ''] = /<bigtrace_rows>(.*)<\/bigtrace_rows>/s.exec(xml) ?? [];
  const named = profile.replace(/<!--.*?-->/gs, '').matchAll(/<(\w+)>([^<]*)<\/\1>/g);
  const all = { ...Object.fromEntries([...named].map(([, name, text]) => [name, text])) };
  return Object.entries({ ...all, ...HTTP_SETTINGS })
    .map(([name, value]) => `    ${name} = ${typeof value === 'number' ? value : literal(value)}`)
    .join(',\n');
}

/** A string literal of ClickHouse on one line. */
function literal(text) {
  const escaped = text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `'${escaped}'`;
}

const text = (sql) => `base64Encode(${sql})`;
const array = (sql) =>
  `concat('[', arrayStringConcat(arrayMap(one -> concat(base64Encode(one), ','), ${sql})))`;

/** A header with the values of a request (bridge/request/header.ts). Those whose names are in `arrays` are arrays. */
function header(values) {
  const parts = values.map(({ sql, isArray }) => (isArray ? array(sql) : text(sql)));
  return `concat(${parts.join(",\n        '.', ")})`;
}

function url(format, structure, headers) {
  const all = Object.entries(headers).map(([name, sql]) => `'X-Bigtrace-${name}' = ${sql}`);
  return `url(
    ${COLLECTION},
    format = '${format}',
    structure = ${structure},
    headers(${all.join(', ')})
)`;
}

/** The expression of the structure of a script's rows: the call of the function bigtrace_schema, over HTTP. */
export function foundByUrl(values) {
  const source = url(
    'Native',
    "'_hb UInt8 NOT NULL, _trace_address String NOT NULL, structure String NOT NULL'",
    { Command: "'schema'", Request: header(values) },
  );
  return `(SELECT structure FROM ${source} WHERE _hb = 0)`;
}

/**
 * The source of a view's rows, which needs urlSettings().
 * @param table the expression of the table that lists the traces, if any
 * @param cluster the expression of the cluster whose servers share the rows, if they do
 */
export function rowsByUrl(view, structure, values, { table, cluster }) {
  const headers = {
    Command: cluster === undefined ? "'rows'" : "'share'",
    View: `'${view}'`,
    ...(table === undefined ? {} : { Table: text(table) }),
    ...(cluster === undefined ? {} : { Share: shareOf(cluster), Query: text('initialQueryID()') }),
    Request: header(values),
  };
  return url('Native', structure, headers);
}

/** What the bridge needs to know of the server that asks for its share (bridge/service/share-rows.ts). */
function shareOf(cluster) {
  const values = [
    cluster,
    "concat(hostName(), ':', toString(tcpPort()))",
    `toString(ifNull((SELECT count() FROM system.clusters WHERE cluster = ${cluster}), 0))`,
    "toString(getSetting('skip_unavailable_shards'))",
  ];
  return `concat(${values.map(text).join(", '.', ")})`;
}

/**
 * A condition that is true, or an error if a view in the statement has no argument of this name. It runs on the server
 * that was asked, which need not be one that asks for a share.
 */
export function checkedByUrl(statement) {
  const source = url('Native', "'ok UInt8 NOT NULL'", {
    Command: "'check'",
    Statement: text(statement),
  });
  return `throwIf(ifNull((SELECT ok FROM ${source} SETTINGS
${urlSettings()}), 0) = 0, 'the bridge has not checked the arguments') = 0`;
}

const REPORT =
  /executable\(\s*'bigtrace (failures|progress)',\s*CustomSeparated,\s*('[^']*'),\s*SETTINGS [^()]*\)/;

/** Returns the statement of a view that reads a report from the bridge, with url() instead of executable(). */
export function reportByUrl(statement) {
  const [call = '', command = '', structure = ''] = REPORT.exec(statement) ?? [];
  if (call === '') throw new Error(`no report is read in: ${statement}`);
  const source = url('CustomSeparated', structure, { Command: `'${command}'` });
  return statement
    .replace(call, () => source)
    .replace("SETTINGS profile = 'bigtrace_rows'", () => `SETTINGS\n${urlSettings()}`);
}
