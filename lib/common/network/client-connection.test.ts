/** Tests how the kernel's table of connections is read. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { hasLeft, hasLeftBy } from './client-connection.ts';

/** 1F90 (8080) and 2328 (9000) are ClickHouse's ports; 0BB8 is another server's. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:0BB8 0100007F:D431 06 00000000:00000000 00:00000000 00000000     0        0 1 1
   2: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1 1
   3: 0100007F:0BB8 0100007F:D432 01 00000000:00000000 00:00000000 00000000     0        0 1 1
   4: 0100007F:1F90 0100007F:D432 08 00000000:00000001 00:00000000 00000000     0        0 1 1
   5: 0100007F:2328 0100007F:D433 01 00000000:00000001 00:00000000 00000000     0        0 1 1
   6: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000A00000A:D431 08 00000000:00000000 00:00000000
   7: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:0050 06 00000000:00000000 00:00000000
   8: 0100007F:20FB 0100007F:D434 01 00000000:00000000 00:00000000 00000000     0        0 1 1
`;
const HTTP = 0x1f90;
const NATIVE = 0x2328;

test.each([
  ['is connected; its connection to another server has ended', '127.0.0.1', 0xd431, HTTP, false],
  ['is connected, with a mapped address', '::ffff:127.0.0.1', 0xd431, HTTP, false],
  ['has closed, with a mapped address', '::ffff:10.0.0.10', 0xd431, HTTP, true],
  ['has closed; its connection to another server is open', '127.0.0.1', 0xd432, HTTP, true],
  ['is connected, and has sent its next request', '127.0.0.1', 0xd433, HTTP, false],
  ['has sent a request to cancel', '127.0.0.1', 0xd433, NATIVE, true],
  ['has closed, with an IPv6 address', '2001:db8::2', 80, HTTP, true],
  ['is connected to a port with TLS', '127.0.0.1', 0xd434, HTTP, false],
  ['has reset its connection', '2001:db8::1', 80, HTTP, true],
  ['may be connected: the table lacks the port of ClickHouse', '2001:db8::1', 80, NATIVE, false],
])('the client %s', (_, address, port, serverPort, left) => {
  const isNative = serverPort === NATIVE;
  const client = { address, port, serverPort, isNative, isForwarded: false };
  expect(hasLeftBy(TABLE, client)).toBe(left);
});

test('a client whose address a proxy named may be connected, if it is not in the table', () => {
  const at = { address: '2001:db8::1', port: 0, serverPort: HTTP };
  expect(hasLeftBy(TABLE, { ...at, isNative: false, isForwarded: true })).toBe(false);
});

test('a client that half-closes its connection has left', async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const serverPort = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  const client = connect(serverPort, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const port = accepted.remotePort ?? 0;
  const about = { address: '127.0.0.1', port, serverPort, isNative: false, isForwarded: false };
  expect(await hasLeft(about, `${process.pid}`)).toBe(false);
  client.end();
  await expect.poll(() => hasLeft(about, `${process.pid}`)).toBe(true);
  accepted.destroy();
  client.destroy();
  server.close();
});
