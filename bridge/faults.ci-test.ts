import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { BigtraceError } from '../lib/common/errors.ts';
import { toServiceError } from '../lib/common/grpc-errors.ts';
import type { QueryRequest } from '../lib/proto/messages.ts';
import { HEARTBEAT, nativeBlocks } from './native/testing.ts';
import { bridgeTests, type QueryStream, ROW, rowsEvent, withoutHeartbeats } from './testing.ts';

const { start, run } = bridgeTests();

test('without an orchestrator the bridge fails with an error that names the address', async () => {
  const { address, server } = await start({});
  server.forceShutdown();
  const bridge = run(['query'], { orchestrator: address });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toContain(
    `cannot reach the orchestrator ${address} (BIGTRACE_ORCHESTRATOR), or the connection broke: `,
  );
  expect(bridge.stderr()).toMatch(/ \(orchestrator_unreachable\)$/);
});

test('the bridge resolves the name of its orchestrator', async () => {
  const { address } = await startGood();
  const orchestrator = address.replace('127.0.0.1', 'localhost');
  const bridge = run(['query'], { orchestrator });
  bridge.child.stdin?.end(ROW);
  expect([await bridge.ended, bridge.stderr()]).toEqual([0, '']);
  expect(withoutHeartbeats(bridge.stdout())).toBe('0\t/local/a\t2\n');
});

test('the bridge also reads BIGTRACE_ORCHESTRATOR_ADDRESS, and names it in the error', async () => {
  const { address, server } = await start({});
  server.forceShutdown();
  const env = { BIGTRACE_ORCHESTRATOR_ADDRESS: address };
  const bridge = run(['query'], { orchestrator: '', env });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toContain(
    `cannot reach the orchestrator ${address} (BIGTRACE_ORCHESTRATOR_ADDRESS), or the connection broke: `,
  );
});

test('two variables that name different orchestrators are an error', async () => {
  const env = { BIGTRACE_ORCHESTRATOR_ADDRESS: 'b:2' };
  const bridge = run(['query'], { orchestrator: 'a:1', env });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toBe(
    'BIGTRACE_ORCHESTRATOR=a:1 and BIGTRACE_ORCHESTRATOR_ADDRESS=b:2 name different orchestrators: ' +
      'unset one of them (invalid_option)',
  );
});

test('an orchestrator that accepts connections and never responds is an error; a request that arrives as late is none', async () => {
  const { address } = await startGood();
  const late = run(['query'], { orchestrator: address });
  const silent: Server = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const bridge = run(['query'], { orchestrator: `127.0.0.1:${port}` });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toContain(`orchestrator 127.0.0.1:${port} (BIGTRACE_ORCHESTRATOR)`);
  late.child.stdin?.end(ROW);
  expect([await late.ended, late.stderr()]).toEqual([0, '']);
  expect(withoutHeartbeats(late.stdout())).toBe('0\t/local/a\t2\n');
});

/** Starts a query whose call stays open. Resolves when the call has reached the orchestrator. */
async function openQuery() {
  const called = new EventEmitter();
  const { address, server } = await start({ query: (call) => called.emit('call', call) });
  const bridge = run(['query'], { orchestrator: address });
  bridge.child.stdin?.end(ROW);
  const [call] = (await once(called, 'call')) as [QueryStream];
  return { bridge, call, server, cancelled: once(call, 'cancelled') };
}

test('SIGTERM ends the script without an error, and cancels the query', async () => {
  const { bridge, cancelled } = await openQuery();
  bridge.child.kill('SIGTERM');
  await cancelled;
  await bridge.ended;
  expect(bridge.stderr()).toBe('');
});

test('a reader that closes the pipe ends the bridge without an error, and cancels the query', async () => {
  const { bridge, cancelled } = await openQuery();
  bridge.child.stdout?.destroy();
  await cancelled;
  await bridge.ended;
  expect(bridge.stderr()).toBe('');
});

/**
 * Starts a TCP proxy, whose sockets the test can freeze or cut. The first connection goes to the first target, and so on;
 * connections after the last target go there, too.
 */
async function startProxy(...targets: string[]): Promise<{ address: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    const target = targets.length > 1 ? targets.shift() : targets[0];
    const onward = connect(Number(target?.split(':')[1]), '127.0.0.1');
    onward.on('close', () => socket.destroy());
    sockets.push(socket, onward);
    for (const end of [socket, onward]) end.on('error', () => {});
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  await once(proxy, 'listening');
  return { address: `127.0.0.1:${(proxy.address() as { port: number }).port}`, sockets };
}

/** Several orchestrators are behind one name. */
const PEERS = { BIGTRACE_PEERS: 'dns:///orchestrator-peers:5051' };

interface Lost {
  returnsRow?: boolean;
  pipe?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** Starts an orchestrator that returns one row, and counts its queries. */
async function startGood() {
  const seen: string[] = [];
  const { address } = await start({
    query: (call) =>
      call.on('data', ({ start, traces }: QueryRequest) => {
        if (start) seen.push(start.queryId);
        if (!traces) return;
        call.write({ event: [rowsEvent('/local/a', [BigInt(traces.address.length)])] });
        call.end();
      }),
  });
  return { address, seen };
}

test.each([
  ['is killed', (_call: QueryStream, server: GrpcServer) => server.forceShutdown()],
  [
    'shuts down',
    (call: QueryStream) =>
      call.emit('error', toServiceError(new BigtraceError('draining', 'shutting down'))),
  ],
])('a query whose orchestrator %s before its first row runs on another one', async (_, lose) => {
  const lost = await start({ query: (call) => lose(call, lost.server) });
  const gone = await start({});
  gone.server.forceShutdown();
  const good = await startGood();
  const proxy = await startProxy(lost.address, gone.address, good.address);
  const bridge = run(['query'], { orchestrator: proxy.address, env: PEERS });
  bridge.child.stdin?.end(ROW);
  expect([await bridge.ended, bridge.stderr()]).toEqual([0, '']);
  expect(withoutHeartbeats(bridge.stdout())).toBe('0\t/local/a\t2\n');
  expect(good.seen).toEqual(['q1']);
});

test.each([
  ['after its first row', { returnsRow: true }],
  ['while its list of traces is read from a pipe', { pipe: true }],
  ['and that is the only one', { env: {} }],
])('a query whose orchestrator is lost %s is an error', async (_, options) => {
  const { returnsRow = false, pipe = false, env = PEERS } = options as Lost;
  const lost = await start({
    query: (call) => {
      if (!returnsRow) lost.server.forceShutdown();
      else call.write({ event: [rowsEvent('/local/a', [1n])] }, () => lost.server.forceShutdown());
    },
  });
  const good = await startGood();
  const proxy = await startProxy(lost.address, good.address);
  const args = pipe ? ['query', '--traces-fd', '3'] : ['query'];
  const bridge = run(args, { orchestrator: proxy.address, traces: pipe, env });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toMatch(/\(orchestrator_unreachable\)$/);
  expect(good.seen).toEqual([]);
});

test.each([
  ['cut', (socket: Socket) => socket.resetAndDestroy()],
  ['frozen', (socket: Socket) => socket.unpipe().pause()],
])(
  'a connection that is %s in mid-answer is an error',
  async (_, harm) => {
    const { address } = await start({
      query: (call) => call.write({ event: [rowsEvent('/local/a', [1n])] }),
    });
    const proxy = await startProxy(address);
    const bridge = run(['query'], { orchestrator: proxy.address });
    bridge.child.stdin?.end(ROW);
    while (!bridge.stdout().includes('0\t/local/a\t1\n'))
      await once(bridge.child.stdout ?? process.stdin, 'data');
    for (const socket of proxy.sockets) harm(socket);
    expect(await bridge.ended).toBe(1);
    expect(bridge.stderr()).toContain(`orchestrator ${proxy.address} (BIGTRACE_ORCHESTRATOR)`);
  },
  60_000,
);

test('an error is reported although the list of traces has not ended', async () => {
  const { address } = await start({
    query: (call) => call.emit('error', toServiceError(new BigtraceError('no_workers', 'none'))),
  });
  const bridge = run(['query', '--traces-fd', '3'], { orchestrator: address, traces: true });
  bridge.child.stdin?.end(ROW);
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toBe('none (no_workers)');
});

test('an orchestrator that stops during a query is an error', async () => {
  const { bridge, call, server } = await openQuery();
  call.write({ event: [rowsEvent('/local/a', [1n])] });
  server.forceShutdown();
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr()).toMatch(
    /^cannot reach the orchestrator 127.*, or the connection broke: .*\)$/,
  );
});

test('the script reports a bridge that is killed', async () => {
  const { bridge } = await openQuery();
  const node = execFileSync('pgrep', ['-P', String(bridge.child.pid)])
    .toString()
    .trim();
  process.kill(Number(node), 'SIGKILL');
  expect(await bridge.ended).toBe(137);
  expect(bridge.stderr()).toBe('the bridge was killed by signal 9: out of memory? (internal)');
});

test('without Node the script prints an error and ends the rows', async () => {
  const bridge = run(['query', '--format', 'Native'], {
    orchestrator: '127.0.0.1:1',
    env: { BIGTRACE_NODE: '/nonexistent/node' },
  });
  expect(await bridge.ended).toBe(127);
  expect(bridge.stderr()).toContain('/nonexistent/node');
  expect(nativeBlocks(bridge.stdout())).toEqual([HEARTBEAT]);
});

test('the bridge reads no further rows while its reader is slow', async () => {
  const cells = Array.from({ length: 100 }, () => 'x'.repeat(4000));
  const { rows } = rowsEvent('', cells);
  let written = 0;
  const { address: orchestrator } = await start({
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
  bridge.child.stdin?.end(ROW.replace('Int64', 'String'));
  for (let before = -1; before !== written || written === 0; ) {
    before = written;
    await sleep(1000);
  }
  expect(written).toBeLessThan(45);
  stdout?.resume();
  expect([await bridge.ended, bridge.stderr()]).toEqual([0, '']);
  let rowsSeen = 0;
  const bytes = bridge.stdout();
  for (let at = 0; at < bytes.length; at = bytes.indexOf(10, at) + 1)
    if (bytes[at] === 0x30) rowsSeen++; // not a heartbeat
  expect(rowsSeen).toBe(60 * cells.length);
});
