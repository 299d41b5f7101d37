/**
 * A lock between processes of one machine that cannot become stale: its holder listens on an abstract socket
 * (unix(7)), which the kernel closes when the process ends.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const TRY_EVERY_MS = 100;
const WAIT_MS_MAX = 300_000;

/**
 * Runs `work` while no other process of this user runs work of the same name, and returns its result.
 * @throws if another process holds the lock for more than 300 s
 */
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
