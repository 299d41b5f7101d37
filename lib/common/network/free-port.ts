/** Finds a free port for a server that cannot choose one itself and report it. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const PORT_MIN = 10_240;
const PORT_MAX = 29_999;

/**
 * Returns a port that is free at the moment. It lies below the range from which the kernel takes ports for outgoing
 * connections and for servers on port 0 (Linux: from 32768 on), so that none of these takes it before it is used.
 * @throws the system error when the host cannot be bound at all
 */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    const failure = await bindFailure(host, port);
    if (failure === undefined) return port;
    if (failure.code !== 'EADDRINUSE') throw failure;
  }
}

/** Returns distinct ports that are free at the moment, none of them `taken`. @throws as `freePort` */
export async function freePorts(
  host: string,
  count: number,
  taken: readonly number[] = [],
): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = await freePort(host);
    if (!taken.includes(port)) ports.add(port);
  }
  return [...ports];
}

/** Returns why no server can listen on the port now; undefined when one can. */
export async function bindFailure(
  host: string,
  port: number,
): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    await once(server.close(), 'close');
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
