/** Whether anybody still waits for a query whose columns are being found: ClickHouse cannot say so itself then. */
import { get, type RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, hasLeft } from '../../lib/common/network/client-connection.ts';

/** A query may have waited for long already when its turn comes, so the first look is soon. */
const FIRST_ASK_MS = 100;
const ASK_EVERY_MS = 500;
const ANSWER_MS_MAX = 2000;

/** May read that view and nothing else (clickhouse/users.d/bigtrace.xml). */
const USER = 'bigtrace_bridge';

/** The ClickHouse that executes the bridge. */
export interface ClickHouse {
  /** Of the HTTP interface. */
  url: string;
  /** Of the bridge's user. */
  password: string;
  pid: string;
}

/**
 * Resolves when the query was killed, is past its time, or its client has gone away; rejects when `signal` is
 * aborted, and not otherwise.
 */
export async function untilClientLeft(
  { url, password, pid }: ClickHouse,
  queryId: string,
  signal: AbortSignal,
): Promise<void> {
  const question = new URL(url);
  question.searchParams.set(
    'query',
    'SELECT given_up, interface, address, port FROM bigtrace.query_clients WHERE query_id = {id:String} FORMAT TSV',
  );
  question.searchParams.set('param_id', queryId);
  const headers = { 'X-ClickHouse-User': USER, 'X-ClickHouse-Key': password };
  await sleep(FIRST_ASK_MS, undefined, { signal });
  // Twice: what a native client has just sent with its query is unread for a moment.
  for (let looks = 0; ; ) {
    const answer = await answerTo(question, { headers, signal });
    looks = (await hasClientLeft(answer, pid)) ? looks + 1 : 0;
    if (looks === 2) return;
    await sleep(ASK_EVERY_MS, undefined, { signal });
  }
}

async function hasClientLeft(answer: string, pid: string): Promise<boolean> {
  const row = /^([01])\t(\d+)\t([\da-fA-F.:]+)\t(\d+)\n$/.exec(answer);
  if (row === null) return false; // not to be told is not to be given up
  const [, givenUp, protocol, address = '', port] = row;
  const client: Client = { address, port: Number(port), isNative: protocol === '1' };
  return givenUp === '1' || hasLeft(client, pid);
}

/** Empty where there is none. */
function answerTo(question: URL, options: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const request = get(question, { ...options, timeout: ANSWER_MS_MAX }, (response) => {
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
