import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { bindFailure, freePort } from './free-port.ts';

test('a free port can be bound, and lies below the ports that the kernel assigns', async () => {
  const port = await freePort('127.0.0.1');
  expect(port).toBeGreaterThan(1024);
  expect(port).toBeLessThan(32_768);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  expect((await bindFailure('127.0.0.1', port))?.code).toBe('EADDRINUSE');
  await once(server.close(), 'close');
  expect(await bindFailure('127.0.0.1', port)).toBeUndefined();
});

test('a host that is not of this machine is an error', async () => {
  await expect(freePort('192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL');
});
