/** Tests in a process of their own, which ends as soon as nothing is left that could wake it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { listening } from '../common/network/listening.ts';

test('a process that closes its client goes on, although ClickHouse does not find the query to kill', async () => {
  const server = createServer(async (request, response) => {
    const query = await text(request);
    if (query.startsWith('KILL QUERY')) response.end(); // no rows; other queries are not answered
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${await listening(server, '127.0.0.1:0')}`;
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-killer-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const outfile = join(directory, 'main.cjs');
  await build({
    stdin: {
      contents: `import { ClickHouse } from './client.ts';
        const stop = new AbortController();
        const login = { url: ${JSON.stringify(url)}, username: 'u', password: 'p' };
        const client = new ClickHouse(login, { signal: stop.signal });
        setTimeout(() => stop.abort(new Error('it was lost')), 200);
        client.rows('SELECT 1')
          .catch((error) => client.close().then(() => console.log(error.message)));`,
      resolveDir: import.meta.dirname,
    },
    ...{ outfile, bundle: true, platform: 'node', format: 'cjs' },
  });
  const child = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  expect([await once(child, 'exit'), await output]).toEqual([[0, null], 'it was lost\n']);
});
