/**
 * Runs `npm start` and `npm test` in a fresh clone, in a path with spaces, as an ordinary user without a home
 * directory, with the version of Node that runs this test; `npm test` runs without `.git`. If this test runs as root,
 * it creates that user; else it uses the current one.
 */
import {
  type ChildProcess,
  execFileSync,
  type SpawnOptions,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { descendants, gone } from '../../harness/system.ts';

const USER = 'bigtrace-test';
const PORTS = ['CLICKHOUSE_HTTP', 'CLICKHOUSE_TCP', 'ORCHESTRATOR', 'HTTP', 'WORKER'];

let scratch: string;
let clone: string;
/** The commands that this test started, each in its own process group. */
const commands: ChildProcess[] = [];
let owner: { uid: number; gid: number } | undefined;

beforeAll(() => {
  owner = process.getuid?.() === 0 ? ordinaryUser() : undefined;
  // Next to the temporary directory of this run, which an ordinary user cannot access.
  scratch = mkdtempSync(join(dirname(tmpdir()), 'bigtrace anywhere '));
  chmodSync(scratch, 0o755);
  clone = join(scratch, 'empty folder/big trace');
  // An ordinary user may not be able to read the directory of this Node.
  mkdirSync(join(scratch, 'bin'));
  copyFileSync(process.execPath, join(scratch, 'bin/node'));
  mkdirSync(dirname(clone));
  execFileSync('git', ['clone', '--quiet', ROOT, clone]);
  if (owner !== undefined) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, scratch]);
});
afterEach(async () => {
  const left = commands.flatMap(({ pid = 0 }) => [pid, ...descendants(pid)]);
  for (const pid of left) endIfThere(pid);
  await gone(left);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended.
  }
}

function ordinaryUser(): { uid: number; gid: number } {
  const id = (flag: string) => spawnSync('id', [flag, USER], { encoding: 'utf8' });
  if (id('-u').status !== 0)
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', USER]);
  return { uid: Number(id('-u').stdout), gid: Number(id('-g').stdout) };
}

/** Returns the spawn options of the commands: no home directory, and few variables of the caller's environment. */
function options(): SpawnOptions {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(PATH|LANG|LC_ALL|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy|npm_config_registry)$/i.test(
      name,
    ),
  );
  const PATH = `${join(scratch, 'bin')}:${process.env['PATH']}`;
  const env = { ...Object.fromEntries(kept), CI: 'true', TMPDIR: scratch, PATH };
  return { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...owner };
}

test('npm start starts the system, a query returns its rows, and SIGINT stops everything', async () => {
  const from = performance.now();
  const ports = PORTS.map((name) => [`BIGTRACE_${name}_PORT`, '0']);
  const npm = spawn('npm', ['start'], {
    ...options(),
    env: { ...options().env, ...Object.fromEntries(ports) },
  });
  commands.push(npm);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [npm.stdout, npm.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Bigtrace is up')) resolve();
      });
    npm.on('exit', () => reject(new Error(`npm start ended:\n${output}`)));
  });
  console.log(`npm start: ${seconds(from)} from a fresh clone until it is up`);
  const [, orchestrator = ''] = /orchestrator\s+(\S+:\d+)/i.exec(output) ?? [];
  const query = [
    'query',
    '--traces',
    '/local/linux/gzip-cpu.pftrace',
    '--orchestrator',
    orchestrator,
  ];
  const count = execFileSync(
    join(scratch, 'bin/node'),
    ['cli/bigtrace.mjs', ...query, '--sql', 'SELECT count(*) AS n FROM sched'],
    { ...options(), stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
  );
  expect(count).toContain('2547');
  const family = descendants(npm.pid ?? 0);
  const exited = once(npm, 'exit');
  process.kill(-(npm.pid ?? 0), 'SIGINT');
  await exited;
  await gone(family);
});

test('npm test passes in a copy without .git', async () => {
  rmSync(join(clone, '.git'), { recursive: true });
  const from = performance.now();
  const npm = spawn('npm', ['test'], options());
  commands.push(npm);
  let output = '';
  for (const stream of [npm.stdout, npm.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [code] = await once(npm, 'close');
  console.log(`npm test: ${seconds(from)}`);
  expect(code, output.slice(-20_000)).toBe(0);
  expect(output).toContain('all checks passed');
});

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(0)} s`;
}
