/** Two orchestrators behind one address, as behind a Service of Kubernetes, and a bridge that connects to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { bridgeTests, ROW, rowsEvent, withoutHeartbeats } from '../../../bridge/testing.ts';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { portOf } from '../../../lib/common/network/host-port.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { StubWorker } from '../../../orchestrator/testing/stub-worker.ts';

const { run } = bridgeTests();

/** A result with one row. */
const RESULT = rowsEvent('', [7n]).rows.result;

interface Orchestrator {
  address: string;
  child: ChildProcess;
}

async function startOrchestrator(...flags: string[]): Promise<Orchestrator> {
  const args = [join(ROOT, 'cli/bigtrace.mjs'), 'orchestrator', '--json', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, address: (JSON.parse(line) as { address: string }).address };
}

/** Starts a TCP proxy that connects each client to the first target that accepts. */
async function startService(targets: readonly string[]): Promise<string> {
  const server = createServer((socket) => {
    const tryNext = ([target, ...others]: readonly string[]): void => {
      if (target === undefined) return void socket.destroy();
      const onward = connect(portOf(target), '127.0.0.1');
      onward.once('error', () => tryNext(others));
      onward.once('connect', () => {
        onward.removeAllListeners('error').on('error', () => {});
        onward.on('close', () => socket.destroy());
        socket.pipe(onward).pipe(socket);
      });
    };
    socket.on('error', () => {});
    tryNext(targets);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('a query whose orchestrator is killed runs on the other one, which lists the queries of both', async () => {
  /** The tasks of the first orchestrator never end. */
  const worker = await new StubWorker({
    script: ({ attempt, rows }) => (attempt === 1 ? undefined : rows(RESULT, true)),
  }).start();
  onTestFinished(() => worker.kill());
  const flags = ['-l', worker.address, '--log-level', 'silent'];
  const first = await startOrchestrator('-s', '127.0.0.1:0', ...flags);
  const second = await startOrchestrator('-s', '127.0.0.1:0', ...flags, '--peers', first.address);
  const service = await startService([first.address, second.address]);

  const env = { BIGTRACE_PEERS: [first.address, second.address].join(',') };
  const bridge = run(['query'], { orchestrator: service, env });
  bridge.child.stdin?.end(ROW);
  await expect.poll(() => worker.seen.length, { timeout: 20_000 }).toBe(2);
  const client = new OrchestratorClient(second.address);
  onTestFinished(() => client.close());
  const queries = async (): Promise<string[]> =>
    (await client.status()).query.map(({ queryId }) => queryId);
  expect(await queries()).toEqual(['q1']);

  first.child.kill('SIGKILL');
  expect([await bridge.ended, bridge.stderr()]).toEqual([0, '']);
  expect(withoutHeartbeats(bridge.stdout()).split('\n').sort()).toEqual([
    ...['', '0\t/local/a\t7', '0\t/local/b\t7'],
  ]);
  expect(await client.progress('q1')).toMatchObject({ tracesDone: 2, tracesFailed: 0 });
  expect(await queries()).toEqual([]);
});
