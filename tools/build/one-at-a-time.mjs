/**
 * A lock between processes of one machine that none can leave behind: who holds it listens on a socket
 * that has a name but no file (unix(7), "abstract"), which the kernel closes with the process.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const TRY_EVERY_MS = 100;
const WAIT_MS_MAX = 300_000;

/** Runs `work` when no other process of this user does work of that name, and resolves to what it does. */
export async function oneAtATime(name, work) {
  const hash = createHash('sha256').update(name).digest('hex');
  const lock = await acquire(`\0bigtrace-${process.getuid()}-${hash}`, name);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(path, name) {
  for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += TRY_EVERY_MS) {
    try {
      const server = createServer().listen(path);
      await once(server, 'listening');
      return server;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
      await sleep(TRY_EVERY_MS);
    }
  }
  throw new Error(`another process has been busy for ${WAIT_MS_MAX / 1000} s: ${name}`);
}
