import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { BigtraceError } from '../common/errors.ts';
import { toServiceError } from '../common/grpc-errors.ts';
import type { QueryRequest } from '../proto/messages.ts';
import { CellType } from '../query-result/index.ts';
import { encodeTable } from '../query-result/testing.ts';
import {
  buildBridge,
  type QueryStream,
  type Run,
  runBridge,
  type Stub,
  startStub,
} from './testing.ts';

let script: string;
const stops: (() => void)[] = [];

beforeAll(async () => {
  script = await buildBridge();
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function start(stub: Stub): Promise<string> {
  const { address, server } = await startStub(stub, toServiceError);
  stops.push(() => server.forceShutdown());
  return address;
}

function run(args: string[], options: Parameters<typeof runBridge>[2]): Run {
  const started = runBridge(script, args, options);
  stops.push(() => started.child.kill('SIGKILL'));
  return started;
}

const ROW =
  "['/local/a','/local/b']\tSELECT n\tq1\tanalyst\tstrict\t_hb UInt8, _trace_address String, n Int64\n";

function rowsEvent(trace: string, cells: bigint[]) {
  const [result = Buffer.of()] = encodeTable({
    names: ['n'],
    cells,
    batchCells: cells.length,
    resultBatches: 1,
  });
  return { rows: { trace: Buffer.from(trace), result, last: true } };
}

function withoutHeartbeats(stdout: Buffer): string {
  return stdout.toString().replace(/^1\t.*\n/gm, '');
}

test('a query: the request reaches the orchestrator, its rows come out', async () => {
  const requests: QueryRequest[] = [];
  const orchestrator = await start({
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

test('further traces come on another descriptor, and an answer need not wait for them', async () => {
  const asked: string[] = [];
  const orchestrator = await start({
    query: (call) => {
      call.on('data', ({ traces }: QueryRequest) => {
        const addresses = traces?.address.map(String) ?? [];
        asked.push(...addresses);
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
  expect(asked).toEqual(addresses.map((address) => address.replace('\\t', '\t')));
});

test('heartbeats while the answer takes its time', async () => {
  let finish: (() => void) | undefined;
  const orchestrator = await start({
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

async function failure(stub: Stub, row = ROW): Promise<{ stderr: string; code: number | string }> {
  const bridge = run(['query'], { orchestrator: await start(stub) });
  bridge.child.stdin?.end(row);
  const code = await bridge.ended;
  return { stderr: bridge.stderr(), code };
}

test('an error of a trace is one line', async () => {
  const error = new BigtraceError(
    'sql_failed',
    'Traceback (most recent call last):\n  File "stdin" line 1 col 8\n    SELECT foo\n           ^\nno such column: foo',
    { trace: '/local/a' },
  );
  expect(await failure({ query: (call) => call.emit('error', toServiceError(error)) })).toEqual({
    stderr:
      '[/local/a]: Traceback (most recent call last): File "stdin" line 1 col 8 SELECT foo no such column: foo (sql_failed)',
    code: 1,
  });
});

test('a value that does not fit ends the query, also upstream', async () => {
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
    '[/local/a]: column n is UInt8 and cannot hold integer 300; make it Int64 (bigtrace_as takes a structure), or CAST it in the query (type_mismatch)',
  );
  await cancelled;
});

test('an answer that ends too soon is an error', async () => {
  const event = rowsEvent('/local/a', [1n]);
  event.rows.last = false;
  const { stderr } = await failure({
    query: (call) => {
      call.write({ event: [event] });
      call.end();
    },
  });
  expect(stderr).toBe('[/local/a]: the answer ended before its last chunk (internal)');
});

test('bytes that are no result are an error of their trace', async () => {
  const event = { rows: { trace: Buffer.from('/local/a'), result: Buffer.of(1, 2), last: true } };
  const { stderr } = await failure({ query: (call) => call.write({ event: [event] }) });
  expect(stderr).toBe('[/local/a]: malformed query result: field 0 has wire type 1 (internal)');
});

test('lenient: failures cost their traces, and an error where none answered', async () => {
  const lenient = ROW.replace('strict', 'lenient');
  const failed = {
    trace: Buffer.from('/local/b'),
    code: 'trace_invalid',
    message: 'no trace',
    attempts: 1,
  };
  const orchestrator = await start({
    query: (call) => {
      call.write({ event: [rowsEvent('/local/a', [1n]), { failure: failed }] });
      call.end();
    },
  });
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(lenient);
  expect(await bridge.ended).toBe(0);
  expect(bridge.stderr()).toBe('');
  expect(withoutHeartbeats(bridge.stdout())).toBe('0\t/local/a\t1\n');
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
    'none of the 1 traces answered; the first: [/local/b]: no trace (trace_invalid) (all_failed)',
  );
});

test('no orchestrator: an error that names the address, in time', async () => {
  const holder = await start({});
  stops.pop()?.();
  const bridge = run(['query'], { orchestrator: holder });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toContain(
    `orchestrator ${holder} (BIGTRACE_ORCHESTRATOR) cannot be reached, or was cut off: `,
  );
  expect(bridge.stderr()).toMatch(/ \(orchestrator_unreachable\)$/);
});

test('an orchestrator that takes connections and says nothing', async () => {
  const silent: Server = createServer(() => {}).listen(0, '127.0.0.1');
  stops.push(() => silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const bridge = run(['query'], { orchestrator: `127.0.0.1:${port}` });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toContain(`orchestrator 127.0.0.1:${port} (BIGTRACE_ORCHESTRATOR)`);
});

/** Starts a query whose call stays open; resolves when it has reached the orchestrator. */
async function openQuery(): Promise<{
  bridge: Run;
  call: QueryStream;
  cancelled: Promise<unknown>;
}> {
  const called = new EventEmitter();
  const orchestrator = await start({ query: (call) => called.emit('call', call) });
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(ROW);
  const [call] = (await once(called, 'call')) as [QueryStream];
  return { bridge, call, cancelled: once(call, 'cancelled') };
}

test('SIGTERM to the script ends it silently, and the query with it', async () => {
  const { bridge, cancelled } = await openQuery();
  bridge.child.kill('SIGTERM');
  await cancelled;
  await bridge.ended;
  expect(bridge.stderr()).toBe('');
});

test('a reader that closes the pipe ends it silently, and the query with it', async () => {
  const { bridge, cancelled } = await openQuery();
  bridge.child.stdout?.destroy();
  await cancelled;
  await bridge.ended;
  expect(bridge.stderr()).toBe('');
});

test('an orchestrator that dies in mid-query is an error', async () => {
  const { bridge, call } = await openQuery();
  call.write({ event: [rowsEvent('/local/a', [1n])] });
  stops.shift()?.();
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toMatch(/^orchestrator 127.* cannot be reached, or was cut off: .*\)$/);
});

test('a bridge that is killed outright is reported', async () => {
  const { bridge } = await openQuery();
  const { execFileSync } = await import('node:child_process');
  const node = execFileSync('pgrep', ['-P', String(bridge.child.pid)])
    .toString()
    .trim();
  process.kill(Number(node), 'SIGKILL');
  expect(await bridge.ended).toBe(137);
  expect(bridge.stderr()).toBe('the bridge was killed by signal 9: out of memory? (internal)');
});

test('rows wait for a reader that is slow', async () => {
  const cells = Array.from({ length: 100_000 }, (_, index) => BigInt(index));
  const { rows } = rowsEvent('', cells);
  let written = 0;
  const orchestrator = await start({
    query: async (call) => {
      for (; written < 60; written++) {
        const trace = Buffer.from(`/local/${written}`);
        const taken = call.write({ event: [{ rows: { ...rows, trace } }] });
        if (!taken) await once(call, 'drain');
      }
      call.end();
    },
  });
  const bridge = run(['query'], { orchestrator });
  const { stdout } = bridge.child;
  stdout?.pause();
  bridge.child.stdin?.end(ROW);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(written).toBeLessThan(45);
  stdout?.resume();
  expect([await bridge.ended, bridge.stderr()]).toEqual([0, '']);
  let rowsSeen = 0;
  const bytes = bridge.stdout();
  for (let at = 0; at < bytes.length; at = bytes.indexOf(10, at) + 1)
    if (bytes[at] === 0x30) rowsSeen++; // not a heartbeat
  expect(rowsSeen).toBe(60 * cells.length);
});

test('schema answers each row, and stays', async () => {
  const orchestrator = await start({
    schema: async ({ sql, address, onFailure }) => {
      expect(onFailure).toBe('LENIENT');
      expect(address.map(String)).toEqual(['/local/a', '/local/b']);
      const column = [
        { name: Buffer.from('a'), cellKinds: 1 << CellType.VARINT },
        { name: Buffer.from('a'), cellKinds: (1 << CellType.VARINT) | (1 << CellType.FLOAT64) },
        { name: sql, cellKinds: 1 << CellType.NULL },
      ];
      return { column, tracesSampled: 1 };
    },
  });
  const bridge = run(['schema'], { orchestrator });
  for (const sql of ['x', '`']) {
    bridge.child.stdin?.write(`['/local/a','/local/b']\t${sql}\tq\tu\tlenient\n`);
    await once(bridge.child.stdout ?? process.stdin, 'data');
  }
  bridge.child.stdin?.end();
  expect(await bridge.ended).toBe(0);
  const common =
    '`_hb` UInt8, `_trace_address` String, `a` Nullable(Int64), `a_1` Nullable(Float64), ';
  expect(bridge.stdout().toString()).toBe(
    `${common}\`x\` Nullable(String)\n${common}\`\\\\\`\` Nullable(String)\n`,
  );
});

test('a schema that fails is told on stderr, and the process stays', async () => {
  const orchestrator = await start({
    schema: async ({ sql }) => {
      if (sql.toString() === 'good') return { column: [], tracesSampled: 1 };
      throw new BigtraceError('no_match', 'no trace matches /local/x*');
    },
  });
  const bridge = run(['schema'], { orchestrator });
  for (const sql of ['bad', 'good']) {
    bridge.child.stdin?.write(`['/local/x*']\t${sql}\tq\tu\tstrict\n`);
    await once(bridge.child.stdout ?? process.stdin, 'data');
  }
  expect(bridge.stderr()).toBe('no trace matches /local/x* (no_match)');
  expect(bridge.stdout().toString()).toBe('\n`_hb` UInt8, `_trace_address` String\n');
  bridge.child.stdin?.end();
  expect(await bridge.ended).toBe(0);
});

test('a schema finds an orchestrator that comes back', async () => {
  const holder = await startStub({}, toServiceError);
  const [, port] = holder.address.split(':');
  holder.server.forceShutdown();
  const bridge = run(['schema'], { orchestrator: holder.address });
  const ask = async () => {
    bridge.child.stdin?.write("['/local/a']\tx\tq\tu\tstrict\n");
    await once(bridge.child.stdout ?? process.stdin, 'data');
  };
  await ask();
  expect(bridge.stderr()).toContain('(BIGTRACE_ORCHESTRATOR) cannot be reached');
  const again = await startStub(
    { schema: async () => ({ column: [], tracesSampled: 1 }) },
    toServiceError,
    Number(port),
  );
  stops.push(() => again.server.forceShutdown());
  const giveUp = Date.now() + 10_000;
  while (!bridge.stdout().includes('`_hb`') && Date.now() < giveUp) await ask();
  expect(bridge.stdout().toString()).toContain('`_hb` UInt8');
});

test.each([[[]], [['other']], [['query', '--traces-fd', 'x']], [['schema', 'x']]])(
  'arguments %j are refused',
  async (args) => {
    const bridge = run(args, { orchestrator: '127.0.0.1:1' });
    expect(await bridge.ended).toBe(1);
    expect(bridge.stderr()).toBe(
      'usage: bigtrace query [--end-mark] [--traces-fd N] | bigtrace schema (invalid_option)',
    );
  },
);
