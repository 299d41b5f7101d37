import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClickHouse } from '../../lib/clickhouse/client.ts';
import { untilGone } from '../testing/endless.ts';
import { call, rowsOf, startOn, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeEach(async () => {
  t = await startTestEngine();
});

afterEach(() => t[Symbol.asyncDispose]());

/** Returns the client with a disposer. */
const closing = (client: ClickHouse): ClickHouse & AsyncDisposable =>
  Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });

const portOf = (address: string): number => Number(address.split(':').at(-1));

test('the exit reports how the engine died', async () => {
  process.kill(t.engine.pid, 'SIGKILL');
  expect((await t.engine.exited).reason).toBe('signal SIGKILL');
});

test('stopping the engine ends its process and frees its port', async () => {
  const { pid, httpAddress } = t.engine;
  await t.engine.stop();
  await untilGone(pid);
  await expect(fetch(`http://${httpAddress}/ping`)).rejects.toThrow();
});

test('KILL QUERY of all queries does not end the engine', async () => {
  const admin = t.as('admin');
  await admin.command({ query: 'KILL QUERY WHERE 1 SYNC' });
  expect(await rowsOf(admin, 'SELECT user FROM system.processes')).toEqual([['admin']]);
});

/** Starts a process in which `program` can call `await start({…})`. */
function elsewhere(program: string): ChildProcessByStdio<null, Readable, null> {
  const dataDir = join(t.directory, 'other');
  mkdirSync(dataDir);
  const options = {
    ...{ dataDir, dist: t.dist, listen: '127.0.0.1', httpPort: 0, tcpPort: 0 },
    ...{ orchestrator: '127.0.0.1:1', passwords: {}, insecure: false, env: {} },
  };
  const built = (name: string): string => pathToFileURL(join(t.dist, name)).href;
  const preamble = `import { startEmbeddedClickHouse } from '${built('launch.js')}';
    import { applyLandlock } from '${built('landlock.js')}';
    import { openLibc } from '${built('libc.js')}';
    import { once } from 'node:events';
    import { createServer } from 'node:net';
    const start = (more) => startEmbeddedClickHouse({ ...${JSON.stringify(options)}, ...more });`;
  return spawn(process.execPath, ['--input-type=module', '-e', preamble + program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('without kernel support for confinement the engine starts only with --insecure', async () => {
  const { stdout } = elsewhere(`
    openLibc();
    const servers = [createServer(), createServer()];
    for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
    const ports = [0, ...servers.map((server) => server.address().port)]; // 0: any, for what it does before
    for (const server of servers) await once(server.close(), 'close');
    const paths = [{ path: '/', rights: (1n << 16n) - 1n }];
    while (applyLandlock({ paths, ports })); // until the kernel refuses one more
    for (const insecure of [false, true])
      await start({ insecure, httpPort: ports[1], tcpPort: ports[2] }).then(
        (engine) => engine.stop().then(() => console.log('started')),
        (error) => console.log(error.message),
      );`);
  expect((await text(stdout)).split('\n')).toEqual([
    expect.stringMatching(
      /^Landlock \(Linux 5\.19 or later\) is unavailable .* pass --insecure to run/,
    ),
    'started',
    '',
  ]);
});

test('the engine ends when its parent is killed', async () => {
  const parent = elsewhere('console.log((await start()).pid); setInterval(() => {}, 1000);');
  const pid = Number(String((await once(parent.stdout, 'data'))[0]));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await untilGone(pid);
});

test('a client reads a replaced password when the engine rejects the old one', async () => {
  const dataDir = join(t.directory, 'data');
  const file = join(dataDir, 'admin.password');
  const { httpAddress } = t.engine;
  const url = `http://${httpAddress}`;
  const password = (): string => readFileSync(file, 'utf8').trim();
  await using client = closing(new ClickHouse({ url, username: 'admin', password }));
  const restart = async (): Promise<void> => {
    await t.engine.stop();
    t.engine = await startOn({ dataDir, dist: t.dist }, { httpPort: portOf(httpAddress) });
  };
  writeFileSync(file, 'second');
  await client.command('CREATE TABLE default.t (a String) ORDER BY a'); // the engine still has the old password
  await restart();
  await client.insert('default.t', ['a'], [[['x']]]);
  writeFileSync(file, 'third');
  await restart();
  const rows = client.strings('SELECT a FROM default.t', 1);
  expect(await rows.next()).toEqual({ done: false, value: [['x']] });
  await rows.return(undefined);
});

test('a port that is in use is named in the error', async () => {
  const dataDir = join(t.directory, 'other');
  mkdirSync(dataDir);
  const httpPort = portOf(t.engine.httpAddress);
  await expect(startOn({ dataDir, dist: t.dist }, { httpPort })).rejects.toThrow(
    `ClickHouse cannot listen: listen EADDRINUSE: address already in use 127.0.0.1:${httpPort}`,
  );
});

test('a second engine on the same data is rejected', async () => {
  await expect(startOn({ dataDir: join(t.directory, 'data'), dist: t.dist })).rejects.toThrow(
    /ClickHouse did not start .*Another server instance/s,
  );
});

test('the death of a pool process fails only one query', async () => {
  const analyst = t.as('analyst');
  const query = (structure: string): string =>
    `SELECT * FROM ${call(structure, 'row /local/a a=1; end')}`;
  // The structure is requested twice: by ClickHouse, and for the script's input. The process may die before or after it
  // receives a request.
  await expect(rowsOf(analyst, query('-a Nullable(Int64)'))).rejects.toThrow(
    /Cannot write into pipe|bigtrace_schema|terminated by signal/,
  );
  expect(await rowsOf(analyst, query('a Nullable(Int64)'))).toEqual([['/local/a', '1']]);
});
