import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { addressesDigest } from '../lib/common/addresses/addresses-digest.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import { toServiceError } from '../lib/common/grpc-errors.ts';
import type { LearnRequest, QueryRequest } from '../lib/proto/messages.ts';
import { warmBridge } from '../tools/build/warm-bridge.mjs';
import { bridgeTests, ROW, rowsEvent, type Stub, withoutHeartbeats } from './testing.ts';

const { start, run, failure, directory } = bridgeTests();

test('a query sends its request to the orchestrator and writes the rows of the response', async () => {
  const requests: QueryRequest[] = [];
  const { address: orchestrator } = await start({
    query: (call) => {
      call.on('data', (request: QueryRequest) => requests.push(request));
      call.on('end', () => {
        call.write({ event: [rowsEvent('/local/b', [1n, -2n]), rowsEvent('/local/a', [3n])] });
        call.end();
      });
    },
  });
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(0);
  expect(bridge.stderr()).toBe('');
  expect(withoutHeartbeats(bridge.stdout())).toBe(
    '0\t/local/b\t1\n0\t/local/b\t-2\n0\t/local/a\t3\n',
  );
  expect(requests[0]?.start).toMatchObject({
    queryId: 'q1',
    sql: Buffer.from('SELECT n'),
    onFailure: 'STRICT',
    user: 'analyst',
  });
  expect(
    requests
      .slice(1)
      .flatMap(({ traces }) => traces?.address ?? [])
      .map(String),
  ).toEqual(['/local/a', '/local/b']);
});

test('a code cache, intact or damaged, does not change the rows', async () => {
  const { address: orchestrator } = await start({
    query: (call) => {
      call.write({ event: [rowsEvent('/local/a', [1n])] });
      call.end();
    },
  });
  const cache = join(directory(), 'bridge-main.cache');
  const runQuery = async (args: string[]) => {
    const bridge = run(args, { orchestrator });
    bridge.child.stdin?.end(ROW);
    return [await bridge.ended, bridge.stderr(), withoutHeartbeats(bridge.stdout())];
  };
  const expected = [0, '', '0\t/local/a\t1\n'];
  expect(await runQuery(['query'])).toEqual(expected);
  expect(existsSync(cache)).toBe(false);
  expect(await runQuery(['--write-code-cache', 'query'])).toEqual(expected);
  expect(statSync(cache).size).toBeGreaterThan(100_000);
  expect(await runQuery(['query'])).toEqual(expected);
  for (const damaged of [
    Buffer.alloc(0),
    Buffer.alloc(500_000),
    readFileSync(cache).subarray(0, 5000),
  ]) {
    writeFileSync(cache, damaged);
    expect(await runQuery(['query'])).toEqual(expected);
  }
  rmSync(cache);
});

test('the build writes the code cache whatever orchestrator the environment names', async () => {
  vi.stubEnv('BIGTRACE_TLS_CA', '/no/such/file');
  vi.stubEnv('BIGTRACE_ORCHESTRATOR_ADDRESS', 'other:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  await warmBridge(join(directory(), 'bridge.cjs'));
  const cache = join(directory(), 'bridge-main.cache');
  expect(statSync(cache).size).toBeGreaterThan(100_000);
  rmSync(cache);
});

test('traces are also read from --traces-fd, and rows are written before that list ends', async () => {
  const received: string[] = [];
  const { address: orchestrator } = await start({
    query: (call) => {
      call.on('data', ({ traces }: QueryRequest) => {
        const addresses = traces?.address.map(String) ?? [];
        received.push(...addresses);
        call.write({ event: addresses.slice(0, 1).map((address) => rowsEvent(address, [1n])) });
      });
      call.on('end', () => call.end());
    },
  });
  const bridge = run(['query', '--traces-fd', '3'], { orchestrator, traces: true });
  bridge.child.stdin?.end(ROW.replace("['/local/a','/local/b']", '[]'));
  const more = bridge.child.stdio[3] as NodeJS.WritableStream;
  const addresses = Array.from({ length: 5000 }, (_, index) => `/local/t\\t${index}`);
  more.write(`${addresses.slice(0, 4000).join('\n')}\n`);
  while (!bridge.stdout().includes('\t1\n'))
    await once(bridge.child.stdout ?? process.stdin, 'data');
  more.end(`${addresses.slice(4000).join('\n')}\n`);
  expect(await bridge.ended).toBe(0);
  expect(received).toEqual(addresses.map((address) => address.replace('\\t', '\t')));
});

describe('the format CustomSeparated', () => {
  const ARGUMENTS = ['query', '--format', 'CustomSeparated'];

  async function runWithTraces(list: string): Promise<{ stdout: string; stderr: string }> {
    const { address: orchestrator } = await start({
      query: (call) => {
        call.on('data', () => undefined);
        call.on('end', () => {
          call.write({ event: [rowsEvent('/local/a', [1n])] });
          call.end();
        });
      },
    });
    const bridge = run([...ARGUMENTS, '--traces-fd', '3'], { orchestrator, traces: true });
    bridge.child.stdin?.end(`${ROW.replace("['/local/a','/local/b']", '[]')}END\n`);
    (bridge.child.stdio[3] as NodeJS.WritableStream).end(list);
    await bridge.ended;
    return { stdout: withoutHeartbeats(bridge.stdout()), stderr: bridge.stderr() };
  }

  test('rows end with the end mark', async () => {
    const result = { stdout: '0\t/local/a\t1\nEND\n', stderr: '' };
    expect(await runWithTraces('/local/a\n/local/b\nEND\n')).toEqual(result);
    expect(await runWithTraces('END\n')).toEqual(result);
  });

  test.each(['/local/a\n/local/b\n', '', 'END\n/local/a\n'])(
    'the list of traces %j, which does not end with the end mark, is an error',
    async (list) => {
      const stderr = 'malformed request: the list of traces is incomplete (internal)';
      expect(await runWithTraces(list)).toEqual({ stdout: 'END\n', stderr });
    },
  );

  test('a bridge that is killed still ends its rows with the mark, and reports the signal', async () => {
    const called = new EventEmitter();
    const { address } = await start({ query: (call) => called.emit('call', call) });
    const bridge = run(ARGUMENTS, { orchestrator: address });
    bridge.child.stdin?.end(`${ROW}END\n`);
    await once(called, 'call');
    const node = execFileSync('pgrep', ['-P', String(bridge.child.pid)])
      .toString()
      .trim();
    process.kill(Number(node), 'SIGKILL');
    expect(await bridge.ended).toBe(137);
    expect(withoutHeartbeats(bridge.stdout())).toBe('END\n');
    expect(bridge.stderr()).toContain('killed by signal 9');
  });
});

test('the bridge writes heartbeats while it waits for rows', async () => {
  let finish: (() => void) | undefined;
  const { address: orchestrator } = await start({
    query: (call) => {
      finish = () => {
        call.write({ event: [rowsEvent('/local/a', [1n])] });
        call.end();
      };
    },
  });
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(ROW);
  while (!bridge.stdout().toString().startsWith('1\t\t0\n1\t\t0\n'))
    await once(bridge.child.stdout ?? process.stdin, 'data');
  finish?.();
  expect(await bridge.ended).toBe(0);
  expect(withoutHeartbeats(bridge.stdout())).toBe('0\t/local/a\t1\n');
});

test('an error with several lines is written as one line that begins with the reason', async () => {
  const error = new BigtraceError(
    'sql_failed',
    'Traceback (most recent call last):\n  File "stdin" line 1 col 8\n    SELECT foo\n           ^\nno such column: foo',
    { trace: '/local/a' },
  );
  expect(await failure({ query: (call) => call.emit('error', toServiceError(error)) })).toEqual({
    stderr: '[/local/a]: no such column: foo; at File "stdin" line 1 col 8 SELECT foo (sql_failed)',
    code: 1,
  });
});

test('a value that does not fit its column ends the query and cancels the call', async () => {
  let cancelled: Promise<unknown> | undefined;
  const failed = await failure(
    {
      query: (call) => {
        cancelled = once(call, 'cancelled');
        call.write({ event: [rowsEvent('/local/a', [300n])] });
      },
    },
    ROW.replace('Int64', 'UInt8'),
  );
  expect(failed.stderr).toBe(
    '[/local/a]: column n is UInt8 and cannot hold integer 300; declare it as Int64 (bigtrace_as takes a structure), or CAST it in the script (type_mismatch)',
  );
  await cancelled;
});

test.each([
  [
    'bigtrace',
    ['/local/a'],
    '',
    "bigtrace_as(structure='n Nullable(String)', traces=['/local/a'], sql='",
  ],
  [
    'bigtrace_where',
    ["/where/size > '1'"],
    '',
    "bigtrace_where_as(structure='n Nullable(String)', filter='size > \\'1\\'', sql='",
  ],
  [
    'bigtrace_table',
    ['/local/a'],
    "\tSELECT\tcho\\'sen\t['/local/b','/local/c']",
    "bigtrace_table_as(structure='n Nullable(String)', table='cho\\'sen', on_failure='strict', sql='",
  ],
])(
  'a value that does not fit what %s found is learned, with the call that takes it',
  async (...row) => {
    const [view, traces, more, call] = row;
    const lessons: LearnRequest[] = [];
    const stub: Stub = {
      query: (query) => query.write({ event: [rowsEvent('/local/a', ['x'])] }),
      learn: (learnedType) => lessons.push(learnedType),
    };
    const list = JSON.stringify(traces).replaceAll("'", "\\'").replaceAll('"', "'");
    const request = ROW.replace("['/local/a','/local/b']", list).replace(
      'n Int64',
      'n Nullable(BIGINT)',
    );
    const { stderr } = await failure(stub, request.replace('\n', `${more}\n`), ['--view', view]);
    expect(stderr).toBe(
      "[/local/a]: column n is Nullable(Int64) and cannot hold text 'x'; the type was chosen from a sample of the traces: " +
        `run the query again (the type of the column is known now), or use bigtrace.${call}SELECT n') (type_mismatch)`,
    );
    const over = more === '' ? traces : ['/local/b', '/local/c'];
    const tracesDigest = addressesDigest(over.map((trace) => Buffer.from(trace)));
    const sql = Buffer.from('SELECT n');
    expect(lessons).toEqual([{ user: 'analyst', sql, column: 0, kinds: 16, tracesDigest }]);
  },
);

test.each([
  ['integer 5', 5n],
  ['number 0.5', 0.5],
])('%s is not written into a column found to be text', async (name, value) => {
  const stub: Stub = { query: (query) => query.write({ event: [rowsEvent('/local/a', [value])] }) };
  const text = ROW.replace('n Int64', 'n Nullable(String)');
  const { stderr } = await failure(stub, text, ['--view', 'bigtrace']);
  expect(stderr).toContain(
    `column n is Nullable(String) and cannot hold ${name}; the type was chosen from a sample of the traces: use bigtrace.bigtrace_as(structure='n Nullable(String)', `,
  );
});

test('a response that ends before the last chunk of a trace is an error', async () => {
  const event = rowsEvent('/local/a', [1n]);
  event.rows.last = false;
  const { stderr } = await failure({
    query: (call) => {
      call.write({ event: [event] });
      call.end();
    },
  });
  expect(stderr).toBe('[/local/a]: the result ended before its last chunk (internal)');
});

test('a malformed query result is an error that names its trace', async () => {
  const event = { rows: { trace: Buffer.from('/local/a'), result: Buffer.of(1, 2), last: true } };
  const { stderr } = await failure({ query: (call) => call.write({ event: [event] }) });
  expect(stderr).toBe('[/local/a]: malformed query result: field 0 has wire type 1 (internal)');
});

test('a lenient query reports failed traces, and is an error if every trace failed', async () => {
  const lenient = ROW.replace('strict', 'lenient');
  const failed = {
    trace: Buffer.from('/local/b'),
    code: 'trace_invalid',
    message: 'no trace',
    attempts: 1,
  };
  const { address: orchestrator } = await start({
    query: (call) => {
      call.write({ event: [rowsEvent('/local/a', [1n]), { failure: failed }] });
      call.end();
    },
  });
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(lenient);
  expect(await bridge.ended).toBe(0);
  expect(bridge.stderr()).toBe('');
  expect(withoutHeartbeats(bridge.stdout())).toBe('0\t/local/a\t1\n2\t/local/b\t0\n');
  const none = await failure(
    {
      query: (call) => {
        call.write({ event: [{ failure: failed }] });
        call.end();
      },
    },
    lenient,
  );
  expect(none.stderr).toBe(
    'the only trace failed: 1 trace_invalid, such as [/local/b]: no trace (all_failed)',
  );
});

test.each([
  [[]],
  [['other']],
  [['query', '--traces-fd', 'x']],
  [['query', '--format', 'CSV']],
  [['query', '--format']],
  [['schema', 'x']],
])('arguments %j are refused', async (args) => {
  const bridge = run(args, { orchestrator: '127.0.0.1:1' });
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toBe(
    'usage: bigtrace query [--format TSV|CustomSeparated|Native] [--traces-fd N] [--view NAME] | bigtrace schema --format RowBinary | bigtrace failures | bigtrace progress (invalid_option)',
  );
});
