/** Tests the resident bridge as ClickHouse calls it, against an orchestrator whose responses the test defines. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import type { QueryRequest, SchemaRequest } from '../../lib/proto/messages.ts';
import { CellType } from '../../lib/query-result/index.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import { nativeBlocks, nativeRows } from '../native/testing.ts';
import { rowsEvent } from '../testing.ts';
import { READ_BUFFER_BYTES } from './blocks.ts';
import { type BridgeFlags, resolveConfig } from './config.ts';
import { bridgeServices } from './testing.ts';

const startService = bridgeServices();
afterEach(() => {
  vi.useRealTimers();
});

/** On a busy machine, an answer may take longer than the first heartbeat. */
function withoutHeartbeats(): void {
  vi.useFakeTimers({ toFake: ['setInterval'] });
}

const text = (value: string): string => Buffer.from(value).toString('base64');
const array = (values: string[]): string => `[${values.map((one) => `${text(one)},`).join('')}`;

const STRUCTURE = '_hb UInt8, _trace_address String, n Int64';

function rowsHeaders(structure = STRUCTURE, view = 'bigtrace_as'): Record<string, string> {
  const texts = ['SELECT n', 'q1', 'analyst', 'strict', structure, 'SELECT 1'].map(text);
  return {
    'X-Bigtrace-Command': 'rows',
    'X-Bigtrace-View': view,
    'X-Bigtrace-Request': [array(['/local/a', '/local/b']), ...texts].join('.'),
  };
}

const SCHEMA_HEADERS = {
  'X-Bigtrace-Command': 'schema',
  'X-Bigtrace-Request': [
    array(['/local/a']),
    ...['SELECT n', 'q1', 'analyst', 'lenient', 'find'].map(text),
  ].join('.'),
};

async function get(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<IncomingMessage> {
  const request = httpRequest(url, { method, headers });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function read(url: string, headers: Record<string, string>): Promise<[number, Buffer]> {
  const response = await get(url, headers);
  return [response.statusCode ?? 0, await buffer(response)];
}

test('rows of a request are written in Native', async () => {
  const requests: QueryRequest[] = [];
  const url = await startService({
    query: (call) => {
      call.on('data', (request: QueryRequest) => requests.push(request));
      call.on('end', () => {
        call.write({ event: [rowsEvent('/local/b', [1n, -2n]), rowsEvent('/local/a', [3n])] });
        call.end();
      });
    },
  });
  const [status, body] = await read(url, rowsHeaders());
  expect(status).toBe(200);
  expect(nativeRows(body)).toEqual([
    ['/local/b', 1n],
    ['/local/b', -2n],
    ['/local/a', 3n],
  ]);
  const sent = { queryId: 'q1', sql: Buffer.from('SELECT n'), user: 'analyst' };
  expect(requests[0]?.start).toMatchObject({ ...sent, onFailure: 'STRICT' });
  const addresses = requests.flatMap(({ traces }) => traces?.address ?? []);
  expect(addresses.map(String)).toEqual(['/local/a', '/local/b']);
});

const COLUMN = { name: Buffer.from('n'), cellKinds: 1 << CellType.VARINT };

test('the structure of a script is one block, and rows without a structure get the columns that were found', async () => {
  withoutHeartbeats();
  const requests: SchemaRequest[] = [];
  const url = await startService({
    schema: async (request) => {
      requests.push(request);
      return { column: [COLUMN], tracesSampled: 1 };
    },
    query: (call) => {
      call.write({ event: [rowsEvent('/local/a', [7n])] });
      call.end();
    },
  });
  const [, structure] = await read(url, SCHEMA_HEADERS);
  expect(nativeBlocks(structure)).toEqual([
    {
      structure: {
        type: 'String',
        values: [
          new Uint8Array(
            Buffer.from(
              '`_hb` UInt8 NOT NULL, `_trace_address` String NOT NULL, `n` Nullable(Int64)',
            ),
          ),
        ],
      },
    },
  ]);
  const [, body] = await read(url, rowsHeaders('', 'bigtrace'));
  expect(nativeRows(body)).toEqual([['/local/a', 7n]]);
  expect(requests.map(({ again }) => again)).toEqual([false, true]);
});

test('the structure has the bytes of names that are not UTF-8', async () => {
  withoutHeartbeats();
  const name = Buffer.from([0xff, 0xfe]);
  const url = await startService({
    schema: async () => ({ column: [{ ...COLUMN, name }], tracesSampled: 1 }),
  });
  const [, structure] = await read(url, SCHEMA_HEADERS);
  expect(structure.includes(Buffer.concat([Buffer.from('`'), name, Buffer.from('`')]))).toBe(true);
});

test('an error before the first row is the text of a response with status 500', async () => {
  withoutHeartbeats();
  const error = new BigtraceError('sql_failed', 'no such column: é', { trace: '/local/a' });
  const url = await startService({
    schema: async () => {
      throw error;
    },
    query: (call) => call.emit('error', toServiceError(error)),
  });
  const line = '[/local/a]: no such column: é (sql_failed)';
  for (const headers of [rowsHeaders(), SCHEMA_HEADERS]) {
    const [status, body] = await read(url, headers);
    expect([status, body.toString()]).toEqual([500, line]);
  }
});

test('an error after the first rows is a block whose column has a type with the error', async () => {
  let fail = (): void => {};
  const url = await startService({
    query: (call) => {
      call.write({ event: [rowsEvent('/local/a', [1n])] });
      fail = () => call.emit('error', toServiceError(new BigtraceError('sql_failed', "é: 'bad\\")));
    },
  });
  const response = await get(url, rowsHeaders());
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    fail();
  });
  await once(response, 'end');
  const type = "Enum8('é: \\'bad\\\\ (sql_failed)' = 300)";
  const name = [Buffer.of(1, 1), lengthAndBytes(Buffer.from('error'))];
  const error = Buffer.concat([...name, lengthAndBytes(Buffer.from(type)), Buffer.of(0)]);
  const body = Buffer.concat(chunks);
  expect(body.subarray(-error.length).toString()).toBe(error.toString());
  expect(nativeRows(body.subarray(0, -error.length))).toEqual([['/local/a', 1n]]);
});

test('while the kind of a value that did not fit is learned, nothing of its rows is written', async () => {
  const url = await startService({
    query: (call) => {
      call.write({ event: [rowsEvent('/local/c', [7n]), rowsEvent('/local/a', [5n, 'text'])] });
    },
    learn: () => sleep(700), // longer than two heartbeats
  });
  const [, body] = await read(
    url,
    rowsHeaders(STRUCTURE.replace('Int64', 'Nullable(BIGINT)'), 'bigtrace'),
  );
  expect(body.toString()).toMatch(/\(type_mismatch\)/);
  expect(body.includes('/local/c')).toBe(false);
});

test('while there are no rows, heartbeats fill the buffer of ClickHouse, and a reader that leaves cancels the query', async () => {
  let onCancelled = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    onCancelled = resolve;
  });
  let calls = 0;
  const url = await startService({
    query: (call) => {
      if (++calls === 1) call.on('cancelled', onCancelled);
      else call.end();
    },
  });
  const response = await get(url, rowsHeaders());
  let bytes = Buffer.alloc(0);
  while (bytes.length < 2 * READ_BUFFER_BYTES) {
    const [chunk] = (await once(response, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  const second = bytes.indexOf(Buffer.from('_hb'), bytes.indexOf(Buffer.from('_hb')) + 1);
  expect(second).toBeGreaterThanOrEqual(READ_BUFFER_BYTES);
  response.destroy();
  await cancelled;
  await read(url, rowsHeaders());
  expect(calls).toBe(2); // a cancelled query is not repeated
});

test('a reader of the failures that leaves cancels the call to the orchestrator', async () => {
  let onCancelled = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    onCancelled = resolve;
  });
  const message = 'x'.repeat(2 ** 20);
  const one = {
    queryId: 'q',
    user: '',
    trace: '',
    code: 'internal',
    message,
    attempts: 1,
    timeMs: 1,
  };
  const url = await startService({
    failures: (call) => {
      call.on('cancelled', onCancelled);
      for (let nth = 0; nth < 16; nth++) call.write({ failure: [one] }); // it never ends
    },
  });
  const response = await get(url, { 'X-Bigtrace-Command': 'failures' });
  await once(response, 'data');
  response.destroy();
  await cancelled;
});

test.each([
  ['a wrong token', { authorization: 'Bearer wrong' }, 401],
  ['no token', {}, 401],
  ['a foreign host', { host: 'evil.example', authorization: 'Bearer first' }, 403],
  ['a web page', { origin: 'http://evil.example', authorization: 'Bearer first' }, 403],
])('a request with %s is refused', async (_what, headers, status) => {
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'bigtrace-token-')), 'token');
  writeFileSync(tokenFile, 'first\n');
  const url = await startService({}, { tokenFile });
  expect((await read(url, { ...rowsHeaders(), ...headers }))[0]).toBe(status);
});

test('the tokens in the file count without a restart, each of several lines', async () => {
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'bigtrace-token-')), 'token');
  writeFileSync(tokenFile, 'first');
  const url = await startService({ query: (call) => call.end() }, { tokenFile });
  const statusWith = async (token: string): Promise<number> =>
    (await read(url, { ...rowsHeaders(), authorization: `Bearer ${token}` }))[0];
  expect(await statusWith('first')).toBe(200);
  writeFileSync(tokenFile, 'second one');
  expect([await statusWith('first'), await statusWith('second one')]).toEqual([401, 200]);
  writeFileSync(tokenFile, 'second one\nthe third\n');
  expect([await statusWith('second one'), await statusWith('the third')]).toEqual([200, 200]);
});

test('a connection may be idle for longer than ClickHouse keeps it, and the answer says so', async () => {
  const response = await get(`${await startService({})}/healthz`, {});
  expect(response.headers).toMatchObject({
    ...{ connection: 'keep-alive', 'keep-alive': 'timeout=300' },
  });
  response.resume();
});

test('HEAD and the health check run nothing', async () => {
  const url = await startService({});
  expect((await get(url, rowsHeaders(), 'HEAD')).statusCode).toBe(200);
  expect((await get(`${url}/healthz`, {})).statusCode).toBe(200);
});

test('a request that is no view’s, or too long, gets an error that says so', async () => {
  const url = await startService({});
  const [, command] = await read(url, { 'X-Bigtrace-Command': 'x' });
  expect(command.toString()).toBe(
    "X-Bigtrace-Command 'x' must be rows, share, schema, check, failures or progress (invalid_option)",
  );
  const [, request] = await read(url, { 'X-Bigtrace-Command': 'rows' });
  expect(request.toString()).toContain('X-Bigtrace-Request is missing or malformed');
  const [status, body] = await read(url, {
    ...rowsHeaders(),
    'X-Bigtrace-Request': 'A'.repeat(9 * 2 ** 20),
  });
  expect([status, body.toString()]).toEqual([
    431,
    'the script and the trace addresses have more than 8388608 bytes in base64 (limit_exceeded)',
  ]);
});

test('the check of a statement is a block, or an error that names the argument', async () => {
  const url = await startService({});
  const check = (statement: string): Promise<[number, Buffer]> =>
    read(url, { 'X-Bigtrace-Command': 'check', 'X-Bigtrace-Statement': text(statement) });
  const [, block] = await check("SELECT 1 FROM bigtrace_cluster(cluster='é', traces=[], sql='')");
  expect(nativeBlocks(block)).toEqual([{ ok: { type: 'UInt8', values: [1n] } }]);
  expect(String((await check("SELECT 1 FROM bigtrace_cluster(cluster='c', x=1)"))[1])).toBe(
    'bigtrace_cluster has no argument x: it has cluster, traces, sql (invalid_option)',
  );
});

test('without a token or client certificates the bridge does not start, also on loopback', () => {
  const flags: BridgeFlags = {
    ...{ listen: '127.0.0.1', port: 0, orchestrator: '127.0.0.1:1', clickhouseUser: 'default' },
    json: true,
    logLevel: 'silent',
    drainTimeout: 0,
    insecure: false,
  };
  expect(() => resolveConfig(flags)).toThrow('it needs --token-file or --tls-client-ca');
  expect(resolveConfig({ ...flags, insecure: true }).socket).toBe('127.0.0.1:0');
  expect(resolveConfig({ ...flags, tokenFile: 'token' }).security.tokenFile).toBe('token');
});
