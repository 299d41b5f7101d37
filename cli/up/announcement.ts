/** The message that `bigtrace up` prints when the system is ready. */
import type { UpConfig } from './config.ts';

export interface ClickHouseAddress {
  /** Such as `http://127.0.0.1:8123`. */
  http: string;
  /** Such as `127.0.0.1:9000`; undefined for an external server, whose native port is unknown. */
  tcp: string | undefined;
  /** Password file of each user; empty if the passwords come from the environment. */
  passwordFiles: { admin?: string; analyst?: string };
}

export interface SystemAddresses {
  clickhouse: ClickHouseAddress;
  orchestrator: string;
  /** Such as `http://127.0.0.1:5001`. */
  http: string;
  workers: string[];
}

export function announcement(
  config: UpConfig,
  addresses: SystemAddresses,
  processes: { name: string; pid: number }[],
): string {
  return config.json ? jsonLine(config, addresses, processes) : readyText(config, addresses);
}

function jsonLine(
  { dataDir, tracesDir }: UpConfig,
  { clickhouse, orchestrator, http: backend, workers }: SystemAddresses,
  processes: { name: string; pid: number }[],
): string {
  const { http, tcp, passwordFiles } = clickhouse;
  const clickhousePlaces = { clickhouseHttp: http, clickhouseTcp: tcp };
  const places = { ...clickhousePlaces, orchestrator, http: backend, workers };
  return `${JSON.stringify({ ...places, pid: process.pid, dataDir, tracesDir, passwordFiles, processes })}\n`;
}

const SLOWEST = `SELECT name, count() AS n, quantile(0.95)(dur)/1e6 AS p95_ms
  FROM bigtrace(traces=['/local/**'], sql='SELECT name, dur FROM slice')
  GROUP BY name ORDER BY n DESC LIMIT 10`;

const BY_TRACE = `SELECT _trace_address, count() AS n
  FROM bigtrace(traces=['/local/**'], sql='SELECT ts FROM sched')
  GROUP BY _trace_address ORDER BY n DESC`;

function readyText(
  config: UpConfig,
  { clickhouse, orchestrator, http: backend, workers }: SystemAddresses,
): string {
  const { http, tcp, passwordFiles } = clickhouse;
  const password =
    passwordFiles.analyst === undefined
      ? '$BIGTRACE_ANALYST_PASSWORD'
      : `$(cat ${quoted(passwordFiles.analyst)})`;
  const [host, port] = splitAddress(tcp ?? '');
  return `
Bigtrace is up. Ctrl-C stops it.

  ClickHouse HTTP    ${http}
  ClickHouse native  ${tcp ?? 'as your server has it'}
  orchestrator       ${orchestrator} (gRPC)
  console            ${backend} (also the endpoint for bigtrace.html)
  workers            ${workers.join(', ')} (gRPC)
  traces             ${config.tracesDir} as /local
  data, logs         ${config.dataDir}

Ask it with curl:

  curl -u "analyst:${password}" ${http} --data-binary @- <<'SQL'
  ${SLOWEST}
  FORMAT PrettyCompact
SQL
${
  tcp === undefined
    ? ''
    : `
with a native client:

  clickhouse-client --host ${host} --port ${port} --user analyst --password "${password}" --query "
  ${BY_TRACE}
  FORMAT PrettyCompact"
`
}
or in a browser, ${http}/play as the user analyst with that password:

  DESCRIBE (SELECT * FROM bigtrace(traces=['/local/**'], sql='SELECT * FROM slice'))

`;
}

function splitAddress(address: string): [string, string] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), address.slice(colon + 1)];
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
