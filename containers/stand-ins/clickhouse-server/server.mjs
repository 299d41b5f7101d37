/**
 * `clickhouse-server`: the engine in a child, for it blocks the thread it runs on, and as process 1 of a
 * container it would not hear signals.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const LISTEN = 'SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP';

// Lets the engine's own session in as `default`, which opens the listeners, and no other one.
const path = `/${randomBytes(18).toString('base64url')}`;
let isOpen = true;
const gatekeeper = createServer((request, response) => {
  const letIn = isOpen && request.url === path;
  if (letIn) isOpen = false;
  response.writeHead(letIn ? 200 : 403, { connection: 'close' }).end('{}');
});
await once(gatekeeper.listen({ host: '127.0.0.1', port: 0 }), 'listening');

const args = process.argv.slice(2).filter((argument) => argument !== '--');
if (!args.some((argument) => argument.startsWith('--listen_host')))
  args.push('--listen_host=0.0.0.0');
// With a terminal (engine.mjs) it stays up after its queries.
const interactive = ['--interactive', '--disable_suggestion', '--history_file=/dev/null'];
const quiet = ['--progress=off', '--progress-table=off', '--highlight=0'];
const engine = spawn(
  process.execPath,
  [
    '/opt/stand-in/engine.mjs',
    'clickhouse',
    ...args,
    ...interactive,
    ...quiet,
    `--query=${LISTEN}`,
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      STAND_IN_GATEKEEPER: `http://127.0.0.1:${gatekeeper.address().port}${path}`,
    },
  },
);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => engine.kill(signal));
engine.on('exit', (code, signal) => process.exit(signal === 'SIGTERM' ? 0 : (code ?? 1)));
