/** Checks whether the client still waits for its query during column finding, while ClickHouse does not check it. */
import { get, type RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { BigtraceError } from '../../lib/common/errors.ts';
import { type Client, hasLeft } from '../../lib/common/network/client-connection.ts';

/** The first check is early, because the query may already have waited for long before its request is processed. */
const FIRST_CHECK_MS = 100;
const CHECK_EVERY_MS = 500;
const RESPONSE_MS_MAX = 2000;

/** This user may read bigtrace.query_clients only (clickhouse/users.d/bigtrace.xml). */
const USER = 'bigtrace_bridge';

/** The ClickHouse that executes the bridge. */
export interface ClickHouse {
  /** URL of the HTTP interface. */
  url: string;
  /** Password of the user bigtrace_bridge. */
  password: string;
  pid: string;
}

/**
 * Waits until nobody wants the query any longer.
 * @throws cancelled if it was cancelled, or its client has disconnected; deadline_exceeded if it has exceeded
 *   max_execution_time; an AbortError if `signal` is aborted
 */
export async function untilClientLeft(
  { url, password, pid }: ClickHouse,
  queryId: string,
  signal: AbortSignal,
): Promise<never> {
  const requestUrl = new URL(url);
  requestUrl.searchParams.set(
    'query',
    'SELECT given_up, interface, address, port, forwarded, native_port, seconds_exceeded FROM bigtrace.query_clients WHERE query_id = {id:String} FORMAT TSV',
  );
  requestUrl.searchParams.set('param_id', queryId);
  const headers = { 'X-ClickHouse-User': USER, 'X-ClickHouse-Key': password };
  await sleep(FIRST_CHECK_MS, undefined, { signal });
  for (let foundBefore = false; ; ) {
    const body = await responseBody(requestUrl, { headers, signal });
    const abandoned = await abandonment(body, Number(requestUrl.port || 80), pid);
    if (abandoned !== undefined && (abandoned.isCertain || foundBefore)) throw abandoned.error;
    foundBefore = abandoned !== undefined;
    await sleep(CHECK_EVERY_MS, undefined, { signal });
  }
}

interface Abandonment {
  error: BigtraceError;
  /** Whether one check suffices. What a native client has just sent with its query is unread for a moment. */
  isCertain: boolean;
}

async function abandonment(
  body: string,
  httpPort: number,
  pid: string,
): Promise<Abandonment | undefined> {
  const row = /^([01])\t(\d+)\t([\da-fA-F.:]+)\t(\d+)\t([01])\t(\d+)\t([\d.e+-]*)\n$/.exec(body);
  if (row === null) return undefined; // without an answer, the client counts as connected
  const [, isOver, protocol, address = '', port, forwarded, nativePort, seconds] = row;
  const isNative = protocol === '1';
  if (seconds) {
    const text = `the columns of the script were not found within max_execution_time (${seconds} s)`;
    return { error: new BigtraceError('deadline_exceeded', text), isCertain: true };
  }
  const client: Client = {
    ...{ address, port: Number(port), isNative, isForwarded: forwarded === '1' },
    serverPort: isNative ? Number(nativePort) : httpPort,
  };
  if (isOver === '0' && !(await hasLeft(client, pid))) return undefined;
  const text = 'the query was cancelled, or its client disconnected';
  return { error: new BigtraceError('cancelled', text), isCertain: isOver === '1' || !isNative };
}

/** Returns the body of the response; empty if the request failed. */
function responseBody(requestUrl: URL, options: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const request = get(requestUrl, { ...options, timeout: RESPONSE_MS_MAX }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('close', () => resolve(response.statusCode === 200 ? text : ''));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(''));
  });
}
