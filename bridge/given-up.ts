/** Whether ClickHouse has given up a query that waits for its columns: it cannot say so itself then. */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 500;
const ANSWER_MS_MAX = 2000;

/**
 * Resolves when the query was killed or is past its time, as far as the ClickHouse at `url` tells a user
 * without a password; rejects when `signal` is aborted, and not otherwise.
 */
export async function untilGivenUp(
  url: string,
  queryId: string,
  signal: AbortSignal,
): Promise<void> {
  const question = new URL(url);
  question.searchParams.set(
    'query',
    'SELECT count() FROM bigtrace.given_up WHERE query_id = {id:String}',
  );
  question.searchParams.set('param_id', queryId);
  do await sleep(ASK_EVERY_MS, undefined, { signal });
  while (!(await isGivenUp(question, signal)));
}

function isGivenUp(question: URL, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(question, { signal, timeout: ANSWER_MS_MAX }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('close', () => resolve(response.statusCode === 200 && text.trim() === '1'));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false)); // not to be told is not to be given up
  });
}
