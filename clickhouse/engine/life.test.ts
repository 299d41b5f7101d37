import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { untilGone } from '../testing/endless.ts';
import { call, rowsOf, startOn, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeEach(async () => {
  t = await startTestEngine();
});

afterEach(() => t[Symbol.asyncDispose]());

const portOf = (address: string): number => Number(address.split(':').at(-1));

test('it says how it died', async () => {
  process.kill(t.engine.pid, 'SIGKILL');
  expect((await t.engine.exited).how).toBe('signal SIGKILL');
});

test('stopping it leaves no process and no port', async () => {
  const { pid, httpAddress } = t.engine;
  await t.engine.stop();
  await untilGone(pid);
  await expect(fetch(`http://${httpAddress}/ping`)).rejects.toThrow();
});

test('KILL QUERY of everything does not end it: no query keeps it up', async () => {
  const admin = t.as('admin');
  await admin.command({ query: 'KILL QUERY WHERE 1 SYNC' });
  expect(await rowsOf(admin, 'SELECT user FROM system.processes')).toEqual([['admin']]);
});

/** A process of its own that can say `await start({…})`, and after that does what `program` says. */
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

test('where the kernel cannot confine it, it starts only when told that this is as it should be', async () => {
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
    expect.stringMatching(/^this Linux \(.*\) has not the Landlock .* say --insecure if/),
    'started',
    '',
  ]);
});

test('it does not outlive a parent that is killed', async () => {
  const parent = elsewhere('console.log((await start()).pid); setInterval(() => {}, 1000);');
  const pid = Number(String((await once(parent.stdout, 'data'))[0]));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await untilGone(pid);
});

test('a port that is taken is named', async () => {
  const dataDir = join(t.directory, 'other');
  mkdirSync(dataDir);
  const httpPort = portOf(t.engine.httpAddress);
  await expect(startOn({ dataDir, dist: t.dist }, { httpPort })).rejects.toThrow(
    `clickhouse cannot listen: listen EADDRINUSE: address already in use 127.0.0.1:${httpPort}`,
  );
});

test('a second one on the same data is refused', async () => {
  await expect(startOn({ dataDir: join(t.directory, 'data'), dist: t.dist })).rejects.toThrow(
    /clickhouse did not start .*Another server instance/s,
  );
});

test('a pool process that dies costs one query an error, and no more', async () => {
  const analyst = t.as('analyst');
  const query = (structure: string): string =>
    `SELECT * FROM ${call(structure, 'row /local/a a=1; end')}`;
  // It is asked twice, for ClickHouse and for the script's input. It may be dead before it is written to or not.
  await expect(rowsOf(analyst, query('-a Nullable(Int64)'))).rejects.toThrow(
    /Cannot write into pipe|bigtrace_schema|terminated by signal/,
  );
  expect(await rowsOf(analyst, query('a Nullable(Int64)'))).toEqual([['/local/a', '1']]);
});
