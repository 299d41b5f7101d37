/**
 * Starts real servers for GCS and S3, each as its own process. They are built from the Go module proxy on first use: by
 * `npm run test:stores` in the gate, before its other stages need them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../common/network/free-port.ts';
import { ROOT } from '../../common/root.ts';
import type { RunningServer } from './listen.ts';

/** The directory of the built servers; a clean install removes it. */
const BIN = join(ROOT, 'node_modules/.cache/store-servers');

export const S3_KEYS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' };
export const BUCKET = 'traces';

const MODULES = {
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
};

/** @throws if Go is not installed or the build fails */
export function installServers(): void {
  mkdirSync(BIN, { recursive: true });
  for (const [name, module] of Object.entries(MODULES)) {
    const isThere = existsSync(join(BIN, name));
    if (!isThere)
      execFileSync('env', [`GOBIN=${BIN}`, 'go', 'install', module], { stdio: 'inherit' });
  }
}

/** Starts an in-memory emulator of Google Cloud Storage and creates the bucket. */
export async function startGcs(): Promise<RunningServer> {
  const { host, end } = await start('fake-gcs-server', (address, port) => ({
    args: [
      '-backend=memory',
      '-scheme=http',
      '-host=127.0.0.1',
      `-port=${port}`,
      `-public-host=${address}`,
      '-log-level=error',
    ],
  }));
  const body = JSON.stringify({ name: BUCKET });
  const response = await fetch(`http://${host}/storage/v1/b?project=test`, {
    method: 'POST',
    body,
  });
  if (!response.ok) throw new Error(`no bucket: ${response.status} ${await response.text()}`);
  return { host, close: end };
}

/** Starts an S3 gateway over a temporary directory that contains the bucket. */
export async function startS3(): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), 'bigtrace-s3-'));
  mkdirSync(join(directory, BUCKET));
  const { host, end } = await start('versitygw', (address) => ({
    args: ['--quiet', '--port', address, 'posix', directory],
    variables: [
      `ROOT_ACCESS_KEY=${S3_KEYS.accessKeyId}`,
      `ROOT_SECRET_KEY=${S3_KEYS.secretAccessKey}`,
    ],
  }));
  return {
    host,
    async close() {
      await end();
      await rm(directory, { recursive: true });
    },
  };
}

interface Launch {
  args: string[];
  /** Environment variables as `NAME=value`. */
  variables?: string[];
}

async function start(
  name: keyof typeof MODULES,
  launch: (host: string, port: number) => Launch,
): Promise<{ host: string; end: () => Promise<void> }> {
  const port = await freePort('127.0.0.1'); // neither server can choose one and report it
  const host = `127.0.0.1:${port}`;
  const { args, variables = [] } = launch(host, port);
  const child = spawn('env', [...variables, join(BIN, name), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await reachable(port, child);
  return {
    host,
    async end() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function reachable(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const socket = createConnection(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    await delay(50); // an accepted connection is the only sign that the server is ready
  }
  throw new Error('the server does not answer');
}
