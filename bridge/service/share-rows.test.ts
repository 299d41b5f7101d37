/** Tests the responses to the servers that share a query, against an orchestrator whose events the test defines. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { LearnRequest } from '../../lib/proto/messages.ts';
import { CellType, type CellValue } from '../../lib/query-result/index.ts';
import { encodeTable } from '../../lib/query-result/testing.ts';
import { BridgeClient, connector } from '../grpc/bridge-client.ts';
import { type QueryStream, startStub } from '../testing.ts';
import { writeShare } from './share-rows.ts';
import { SharedQueries } from './shares.ts';
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

/** Cells of the column `n` of a trace, each in a message. */
type Traces = Record<string, CellValue[]>;

/** Writes the traces: the first one goes to the server a, the second one to b. */
function write(call: QueryStream, traces: Traces): void {
  for (const [name, cells] of Object.entries(traces)) {
    const results = encodeTable({ names: ['n'], cells, batchCells: 1, resultBatches: 1 });
    for (const [nth, result] of results.entries()) {
      const rows = { trace: Buffer.from(name), result, last: nth === cells.length - 1 };
      call.write({ event: [{ rows }] });
    }
  }
}

/** @param kind the kind of cells that was found for the column `n` */
async function startQuery(kind: number, traces: Traces) {
  const lessons: LearnRequest[] = [];
  const tls = { cert, key, clientCa: undefined };
  const url = await startService(
    {
      schema: async () => ({
        column: [{ name: Buffer.from('n'), cellKinds: 1 << kind }],
        tracesSampled: 1,
      }),
      learn: (lesson) => lessons.push(lesson),
      query: (call) => write(call, traces),
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
  const { a, b } = await startQuery(CellType.STRING, {
    '/local/a': [long, 'short'],
    '/local/b': [1n],
  });
  for (const read of [b, a])
    expect(await read()).toContain('column n is Nullable(String) and cannot hold');
});

test('the remedy for a value that does not fit is right, whichever server gets the value', async () => {
  const { a, b, lessons } = await startQuery(CellType.NULL, {
    '/local/a': [1n], // a guess: Int64
    '/local/b': ['text'],
  });
  for (const read of [a, b])
    expect(await read()).toMatch(
      /the type of the column is known now.*bigtrace_share_as\(structure=\\?'n Nullable\(String\)/,
    );
  expect(lessons).toMatchObject([{ column: 0, kinds: 1 << CellType.STRING }]);
});

/** Responses whose first `taken` writes end at once, and the others after `take`. */
function slowResponse(taken: number) {
  let take = (): void => {};
  const written = new Promise<void>((resolve) => {
    take = resolve;
  });
  let writes = 0;
  const response = new Writable({
    write: (_chunk, _encoding, done) =>
      void (writes++ < taken ? done() : written.then(() => done())),
  });
  return { response, writes: () => writes, take };
}

test('after its end a share gets no error of another one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] }); // heartbeats would be writes, too
  onTestFinished(() => void vi.useRealTimers());
  const full = 'x'.repeat(2 ** 20); // the bridge writes it at once
  const { address, server } = await startStub({
    query: (call) => {
      write(call, { '/local/a': ['short'], '/local/b': [full, full, 1n] });
      call.end();
    },
  });
  const connect = connector(address, '--orchestrator', {});
  const shares = new SharedQueries(() => new BridgeClient(connect));
  const client = new BridgeClient(connect);
  const input = {
    ...{ traces: [Buffer.from('/local/*')], sql: Buffer.from('SELECT n'), queryId: 'q', user: 'u' },
    ...{
      lenient: false,
      structure: '_hb UInt8, _trace_address String, n Nullable(String)',
      statement: '',
    },
  };
  const share = (server: string, { response }: { response: Writable }): Promise<void> => {
    const member = { server, cluster: 'main', servers: 2 };
    const gone = new AbortController().signal;
    const view = 'bigtrace_share';
    return writeShare({ client, shares, input, view, member, response, gone });
  };
  const [a, b] = [slowResponse(1), slowResponse(0)];
  const [ofA, ofB] = [share('a', a), share('b', b)];
  // Rows, and the end. expect.poll() would advance the timers.
  while (a.writes() < 2) await new Promise((resolve) => setImmediate(resolve));
  b.take();
  await expect(ofB).rejects.toThrow('cannot hold');
  a.take();
  await ofA;
  client.close();
  server.forceShutdown();
});
