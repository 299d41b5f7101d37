/** Tests the responses to the servers that share a query, against an orchestrator whose events the test defines. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { beforeAll, expect, test } from 'vitest';
import type { LearnRequest } from '../../lib/proto/messages.ts';
import { CellType, type CellValue } from '../../lib/query-result/index.ts';
import { encodeTable } from '../../lib/query-result/testing.ts';
import { rowsEvent } from '../testing.ts';
import { bridgeServices } from './testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-share-'));
const [cert, key] = [join(directory, 'cert'), join(directory, 'key')];
beforeAll(async () => {
  const pair = await generate([{ name: 'commonName', value: 'bridge' }]);
  writeFileSync(cert, pair.cert);
  writeFileSync(key, pair.private);
});

const startService = bridgeServices();

const text = (value: string): string => Buffer.from(value).toString('base64');

/** Asks as a server of a cluster of two. Resolves when the response begins. */
async function ask(url: string, server: string): Promise<IncomingMessage> {
  const texts = ['SELECT n', 'q1', 'analyst', 'strict', '', ''].map(text);
  const headers = {
    'X-Bigtrace-Command': 'share',
    'X-Bigtrace-View': 'bigtrace_share',
    'X-Bigtrace-Share': ['main', server, '2', 'false'].map(text).join('.'),
    'X-Bigtrace-Request': [`[${text('/local/*')},`, ...texts].join('.'),
  };
  const request = httpsRequest(url, { headers, agent: false, rejectUnauthorized: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** Starts a query of whose column `n` the first server gets `cells`, each in a message, and the second a misfit. */
async function startMismatch(kind: number, cells: CellValue[], misfit: CellValue) {
  const lessons: LearnRequest[] = [];
  const tls = { cert, key, clientCa: undefined };
  const url = await startService(
    {
      schema: async () => ({
        column: [{ name: Buffer.from('n'), cellKinds: 1 << kind }],
        tracesSampled: 1,
      }),
      learn: (lesson) => lessons.push(lesson),
      query: (call) => {
        const results = encodeTable({ names: ['n'], cells, batchCells: 1, resultBatches: 1 });
        for (const [nth, result] of results.entries()) {
          const rows = { trace: Buffer.from('/local/a'), result, last: nth === cells.length - 1 };
          call.write({ event: [{ rows }] });
        }
        call.write({ event: [rowsEvent('/local/b', [misfit])] });
      },
    },
    { tls },
  );
  const a = await ask(url, 'a'); // with a heartbeat
  const b = await ask(url, 'b');
  const textOf = async (response: IncomingMessage): Promise<string> =>
    (await buffer(response)).toString('latin1').slice(-1000);
  return { a: () => textOf(a), b: () => textOf(b), lessons };
}

test('a server that reads slowly gets the error of another one, and no more rows', async () => {
  const long = 'x'.repeat(16 * 2 ** 20); // more than a connection takes
  const { a, b } = await startMismatch(CellType.STRING, [long, 'short'], 1n);
  for (const read of [b, a])
    expect(await read()).toContain('column n is Nullable(String) and cannot hold');
});

test('the remedy for a value that does not fit is right, whichever server gets the value', async () => {
  const { a, b, lessons } = await startMismatch(CellType.NULL, [1n], 'text'); // a guess: Int64
  for (const read of [a, b])
    expect(await read()).toMatch(
      /the type of the column is known now.*bigtrace_share_as\(structure=\\?'n Nullable\(String\)/,
    );
  expect(lessons).toMatchObject([{ column: 0, kinds: 1 << CellType.STRING }]);
});
