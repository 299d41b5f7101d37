/** Tests how the kernel's table of connections is read. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { hasLeft, hasLeftBy } from './client-connection.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   9: 0100007F:0BB8 0100007F:D431 06 00000000:00000000 00:00000000 00000000     0        0 1 1
   0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1F90 0100007F:D432 08 00000000:00000001 00:00000000 00000000     0        0 1 1
   2: 0100007F:2328 0100007F:D433 01 00000000:00000001 00:00000000 00000000     0        0 1 1
   3: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000A00000A:D431 08 00000000:00000000 00:00000000
   4: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:0050 06 00000000:00000000 00:00000000
`;

test.each([
  ['127.0.0.1', 0xd431, false, false], // only its other connection, to another server, has ended
  ['::ffff:127.0.0.1', 0xd431, false, false],
  ['::ffff:10.0.0.10', 0xd431, false, true],
  ['::ffff:127.0.0.1', 0xd432, false, true],
  ['::ffff:127.0.0.1', 0xd433, false, false], // HTTP: unread bytes are the client's next request
  ['::ffff:127.0.0.1', 0xd433, true, true], // native: unread bytes are a request to cancel
  ['2001:db8::2', 80, false, true],
  ['2001:db8::1', 80, false, false], // not in the table
])('the client at %s port %i (native: %s) has left: %s', (address, port, isNative, left) => {
  expect(hasLeftBy(TABLE, { address, port, isNative })).toBe(left);
});

test('a client that half-closes its connection has left', async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const client = connect(typeof bound === 'object' ? (bound?.port ?? 0) : 0, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const about = { address: '127.0.0.1', port: accepted.remotePort ?? 0, isNative: false };
  expect(await hasLeft(about, `${process.pid}`)).toBe(false);
  client.end();
  await expect.poll(() => hasLeft(about, `${process.pid}`)).toBe(true);
  accepted.destroy();
  client.destroy();
  server.close();
});
