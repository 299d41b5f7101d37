import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { checkPorts } from './ports.ts';

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it('names a port that is taken, and its flag', async () => {
  const port = await takenPort();
  await expect(
    checkPorts(
      '127.0.0.1',
      [
        { port: 0, flag: '--a-port' },
        { port, flag: '--b-port' },
      ],
      0,
    ),
  ).rejects.toThrow(
    `port ${port} of 127.0.0.1 is in use; choose another with --b-port (0 picks a free one)`,
  );
});

it('reports a host that is not an address of this machine', async () => {
  await expect(checkPorts('192.0.2.1', [{ port: 65_000, flag: '--a-port' }], 0)).rejects.toThrow(
    /^cannot listen on 192\.0\.2\.1:65000 \(--listen, --a-port\): .*EADDRNOTAVAIL/,
  );
});

it('waits for a port that becomes free', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const checked = checkPorts('127.0.0.1', [{ port, flag: '--a-port' }], 10_000);
  setTimeout(() => server.close(), 150);
  await expect(checked).resolves.toBeUndefined();
});
