import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseError } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { startFullServer } from '../common/testing/full-server.ts';
import { ClickHouse, type ClickHouseOptions } from './client.ts';
import { CATALOG_POLICY, clickHouseError } from './errors.ts';
import { untilError } from './late-error.ts';

const SECRET = 'pass%word';

/** Runs `use` with a client of an HTTP server that stands in for ClickHouse. */
async function withServer(
  respond: RequestListener,
  use: (client: ClickHouse, url: string) => Promise<void>,
  options: ClickHouseOptions = {},
): Promise<void> {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new ClickHouse({ url, username: 'u', password: SECRET }, options);
  try {
    await use(client, url);
  } finally {
    await client.close();
    server.closeAllConnections();
    server.close();
  }
}

async function allOf<T>(rows: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of rows) all.push(...batch);
  return all;
}

const TAG = 'abcdefghijklmnop';
const MESSAGE = 'Code: 395. DB::Exception: boom. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)\n';
const LATE_ERROR = `\r\n__exception__\r\n${TAG}\r\n${MESSAGE}${MESSAGE.length} ${TAG}\r\n__exception__\r\n`;

test('an error behind rows is an error, wherever chunks end', async () => {
  const rows = Buffer.from('\x01a\x0d\r\n__exceptio', 'latin1');
  const bytes = Buffer.concat([rows, Buffer.from(LATE_ERROR)]);
  for (let at = 0; at <= bytes.length; at++) {
    const read: Buffer[] = [];
    const stream = async function* (): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, at);
      yield bytes.subarray(at);
    };
    const reading = async (): Promise<void> => {
      const headers = { 'x-clickhouse-exception-tag': TAG };
      for await (const chunk of untilError(stream(), headers)) read.push(chunk);
    };
    await expect(reading()).rejects.toThrow('boom. ');
    expect(Buffer.concat(read)).toEqual(rows);
  }
});

test('rows before a late error arrive, and no row is made of the error', async () => {
  await withServer(
    (_request, response) => {
      response.writeHead(200, { 'x-clickhouse-exception-tag': TAG });
      response.end(`\x01a\x02bc${LATE_ERROR}`);
    },
    async (client) => {
      const read: string[][] = [];
      const reading = (async () => {
        for await (const batch of client.strings('SELECT x', 1)) read.push(...batch);
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'catalog_failed',
        message: expect.stringContaining('boom'),
      });
      expect(read).toEqual([['a'], ['bc']]);
    },
  );
});

test('without an error, all bytes are rows', async () => {
  await withServer(
    (_request, response) => {
      response.writeHead(200, { 'x-clickhouse-exception-tag': TAG });
      response.end(Buffer.from('\x01a\x04\r\n__\x02\xff\n', 'latin1'));
    },
    async (client) => {
      expect(await allOf(client.strings('SELECT x', 1))).toEqual([['a'], ['\r\n__'], ['\udcff\n']]);
    },
  );
});

test('aborting a call closes its connection, and rejects with the reason', async () => {
  const events = new EventEmitter();
  const [began, closed] = [once(events, 'began'), once(events, 'closed')];
  await withServer(
    (_request, response) => {
      response.on('close', () => events.emit('closed'));
      events.emit('began');
    },
    async (client) => {
      const stop = new AbortController();
      const reading = client.rows('SELECT 1', { signal: stop.signal });
      const rejected = expect(reading).rejects.toThrow('the caller left');
      await began;
      stop.abort(new Error('the caller left'));
      await rejected;
      await closed;
    },
  );
});

test('a bound on the execution time is a setting of the statement', async () => {
  let params = new URLSearchParams();
  await withServer(
    (request, response) => {
      params = new URL(request.url ?? '', 'http://h').searchParams;
      response.end('["1"]\n');
    },
    async (client) => {
      expect(await client.count('SELECT 1', { executionMsMax: 1500, queryId: 'q' })).toBe(1);
      expect(params.get('max_execution_time')).toBe('1.5');
      expect(params.get('query_id')).toBe('q');
      expect(params.get('timeout_overflow_mode')).toBe('throw');
    },
  );
});

test('an error names the server without its credentials', async () => {
  const client = new ClickHouse({
    url: `http://root:${SECRET.replace('%', '%25')}@127.0.0.1:1`,
    username: 'u',
    password: SECRET,
  });
  const error = await client.rows('SELECT 1').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'catalog_failed',
    message: 'ClickHouse at http://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
  });
  await client.close();
  const malformed = () =>
    new ClickHouse({ url: `root:${SECRET}@host`, username: 'u', password: SECRET });
  expect(malformed).toThrow(/^the URL of ClickHouse's HTTP interface must be http:/);
});

test('a request fails where connection attempts are dropped', async () => {
  await using server = await startFullServer();
  const url = `http://${server.address}`;
  const client = new ClickHouse({ url, username: 'u', password: SECRET }, { connectMs: 300 });
  await expect(client.rows('SELECT 1')).rejects.toMatchObject({
    code: 'catalog_failed',
    message: `ClickHouse at ${url} cannot be reached: no connection to ${server.address} within 300 ms`,
  });
  await client.close();
});

test('ClickHouse’s type of an error determines the code', () => {
  const policy = { ...CATALOG_POLICY, rejected: 'invalid_filter', subject: 'the filter' } as const;
  const codeOf = (type: string): string => {
    const thrown = new ClickHouseError({ message: 'why', code: '1', type });
    const { code, message } = clickHouseError(thrown, 'http://h', policy);
    return `${code}: ${message}`;
  };
  expect(codeOf('SYNTAX_ERROR')).toBe('invalid_filter: the filter: why');
  expect(codeOf('ACCESS_DENIED')).toBe('catalog_failed: the filter: why');
  expect(codeOf('AUTHENTICATION_FAILED')).toBe('catalog_failed: ClickHouse at http://h: why');
  expect(codeOf('QUERY_WAS_CANCELLED')).toBe('cancelled: the filter: why');
  expect(codeOf('TIMEOUT_EXCEEDED')).toBe('deadline_exceeded: the filter: why');
  expect(codeOf('TOO_MANY_SIMULTANEOUS_QUERIES')).toBe('too_many_queries: the filter: why');
  expect(codeOf('TOO_MANY_ROWS_OR_BYTES')).toBe('limit_exceeded: the filter: why');
  const ofBridge = new ClickHouseError({
    message: 'Executable generates stderr: [/local/a]: no (trace_invalid)',
    code: '1',
    type: 'UNSUPPORTED_METHOD',
  });
  const error = clickHouseError(ofBridge, 'http://h', policy);
  expect(error).toMatchObject({ code: 'trace_invalid', message: '[/local/a]: no' });
});

test.each([
  `Received error from remote server http://b:1/. HTTP status code: 500 'Internal Server Error', body length: 33 bytes, body: '[/local/a]: it's (a) (trace_invalid)': (in file/uri http://b:1): While executing URL.`,
  "Value 300 for element '[/local/a]: it's (a) (trace_invalid)' exceeds range of Enum8: (in file/uri http://b:1): While executing URL.",
])('an error of the resident bridge has its code and text: %s', (message) => {
  const thrown = new ClickHouseError({ message, code: '86', type: 'ANY' });
  expect(clickHouseError(thrown, 'http://h', CATALOG_POLICY)).toMatchObject({
    code: 'trace_invalid',
    message: "[/local/a]: it's (a)",
  });
});

test('an error text may have words in capital letters and parentheses', async () => {
  const says =
    'cannot reach the orchestrator h:1 (BIGTRACE_ORCHESTRATOR), or (NO_ROUTE): ECONNREFUSED';
  const stderr = `Executable generates stderr: ${says} (orchestrator_unreachable)`;
  const plain = `Code: 1. DB::Exception: ${stderr}. (UNSUPPORTED_METHOD) (version 26.7.2.1)\n`;
  const nested = `Code: 754. DB::Exception: User defined function 'f' failed. Original error: Code: 1. DB::Exception: ${stderr}. (UNSUPPORTED_METHOD),. (UDF_EXECUTION_FAILED) (version 26.7.2.1)\n`;
  for (const text of [plain, nested]) {
    const late = `\r\n__exception__\r\n${TAG}\r\n${text}${text.length} ${TAG}\r\n__exception__\r\n`;
    const respond: RequestListener[] = [
      (_request, response) => {
        response.writeHead(500, { 'x-clickhouse-exception-code': '1' });
        response.end(text);
      },
      (_request, response) => {
        response.writeHead(200, { 'x-clickhouse-exception-tag': TAG });
        response.end(late);
      },
    ];
    for (const listener of respond)
      await withServer(listener, async (client) => {
        const calls = [
          client.rows('SELECT 1'),
          client.command('OPTIMIZE TABLE t'),
          client.insert('t', ['a'], [[['x']]]),
          allOf(client.strings('SELECT x', 1)),
        ];
        const error = { code: 'orchestrator_unreachable', detail: says };
        for (const call of calls) await expect(call).rejects.toMatchObject(error);
      });
  }
});
