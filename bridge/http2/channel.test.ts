import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { fromServiceError } from '../../lib/common/call-errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import { Call } from './call.ts';
import { Channel, channelConfig } from './channel.ts';
import { type Endpoint, parseTarget } from './target.ts';
import {
  type BytesServer,
  channelTo,
  failure,
  outcome,
  PATH,
  startBytesServer,
  type Talk,
  talk,
} from './testing.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function start(...how: Parameters<typeof startBytesServer>): Promise<BytesServer> {
  const started = await startBytesServer(...how);
  stops.push(() => started.server.forceShutdown());
  return started;
}

function channel(address: string, credentials: ClientCredentials = {}): Channel {
  const opened = channelTo(address, credentials);
  stops.push(() => opened.close());
  return opened;
}

/** Sends each message back. */
function echo(call: Talk): void {
  call.on('data', (message: Buffer) => call.write(message));
  call.on('end', () => call.end());
}

test('messages of any length arrive complete and in order, on several calls at once', async () => {
  const { address } = await start(echo);
  const opened = channel(address);
  const texts = ['', 'a', 'b'.repeat(16_379), 'c'.repeat(3_000_000), '', 'd'];
  const calls = [0, 1, 2].map((n) => outcome(talk(opened, ...texts, `${n}`)));
  expect(await Promise.all(calls)).toEqual([0, 1, 2].map((n) => ({ texts: [...texts, `${n}`] })));
});

test('the error of a server keeps its code, trace and text', async () => {
  const sent = new BigtraceError('sql_failed', 'no such table: ünknown%20, #1\n', {
    trace: '/local/\udc80',
  });
  const { address } = await start((call) => {
    call.write(Buffer.from('row'), () => call.emit('error', toServiceError(sent)));
  });
  const { texts, error } = await outcome(talk(channel(address), 'x'));
  expect(texts).toEqual(['row']);
  const { code, detail, trace } = fromServiceError(error, 'orchestrator_unreachable');
  expect({ code, detail, trace }).toEqual({
    ...{ code: 'sql_failed', detail: sent.detail, trace: sent.trace },
  });
  expect(error?.details).toBe('[/local/\\x80]: no such table: ünknown%20, #1\n');
});

test('each call sends the token that its file has then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-token-'));
  stops.push(() => rmSync(directory, { recursive: true }));
  const tokenFile = join(directory, 'token');
  const { address } = await start((call) => {
    call.write(Buffer.from(String(call.metadata.get('authorization'))));
    call.end();
  });
  writeFileSync(tokenFile, 'first');
  const opened = channel(address, { tokenFile });
  expect(await outcome(talk(opened))).toEqual({ texts: ['Bearer first'] });
  writeFileSync(tokenFile, 'second one\n');
  expect(await outcome(talk(opened))).toEqual({ texts: ['Bearer second one'] });
});

test('ending the iteration cancels the call, and so does cancel() at any time', async () => {
  const events = new EventEmitter();
  const { address } = await start((call) => {
    call.write(Buffer.from('row'));
    call.on('cancelled', () => events.emit('cancelled'));
  });
  const opened = channel(address);
  const ended = once(events, 'cancelled');
  for await (const message of talk(opened)) {
    expect(message.toString()).toBe('row');
    break;
  }
  await ended;
  const cancelled = once(events, 'cancelled');
  const call = talk(opened);
  setImmediate(() => call.cancel());
  expect((await outcome(call)).error?.code).toBe(grpc.status.CANCELLED);
  const early = talk(opened);
  early.cancel();
  expect(await failure(early)).toEqual([grpc.status.CANCELLED, 'the call was cancelled']);
  await cancelled;
  const late = talk(opened);
  const read = async (): Promise<void> => {
    for await (const _ of late) late.cancel();
  };
  await expect(read()).rejects.toThrow('the call was cancelled');
});

test('a call that is cancelled before there is a connection ends at once', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stops.push(() => void silent.close());
  const opened = channel(`127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const connecting = opened.connected().catch(() => 'over');
  const call = talk(opened, 'x');
  const failed = failure(call);
  call.cancel();
  expect(await Promise.race([failed, connecting])).toEqual([
    ...[grpc.status.CANCELLED, 'the call was cancelled'],
  ]);
});

test('messages that follow the end of the response do not discard what was not read yet', async () => {
  const { address } = await start((call) => {
    call.write(Buffer.from('row'));
    call.write(Buffer.from('last row'));
    call.end();
  });
  const call = new Call(channel(address), PATH);
  const messages = call[Symbol.asyncIterator]();
  expect(`${(await messages.next()).value}`).toBe('row');
  for (let n = 0; n < 200; n++) {
    call.write(Buffer.from('x'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(`${(await messages.next()).value}`).toBe('last row');
  expect((await messages.next()).done).toBe(true);
});

test('a server that sends more than is read has to wait', async () => {
  const row = Buffer.alloc(200_000);
  let sent = 0;
  const full = new EventEmitter();
  const isFull = once(full, 'full');
  const { address } = await start(async (call) => {
    for (; sent < 60; sent++) {
      if (call.write(row)) continue;
      full.emit('full');
      await once(call, 'drain');
    }
    call.end();
  });
  let read = 0;
  for await (const message of talk(channel(address))) {
    if (read++ === 0) await isFull;
    expect(message.length).toBe(row.length);
    if (read === 2) expect(sent).toBeLessThan(30);
  }
  expect(read).toBe(60);
});

test('a server that has started again is reached with the next call', async () => {
  const { address, server } = await start(echo);
  const opened = channel(address);
  expect(await outcome(talk(opened, 'one'))).toEqual({ texts: ['one'] });
  const connection = await opened.connected();
  server.forceShutdown();
  while (connection.isUsable) await new Promise((resolve) => setImmediate(resolve));
  expect((await failure(talk(opened, 'x')))[1]).toBe(`connect ECONNREFUSED ${address}`);
  await start(echo, undefined, address);
  expect(await outcome(talk(opened, 'two'))).toEqual({ texts: ['two'] });
});

test('after 500 cancelled calls a connection is replaced, while its other calls go on', async () => {
  const peers = new Set<string>();
  const { address } = await start((call) => {
    peers.add(call.getPeer());
    call.write(Buffer.from('row'));
    call.on('data', () => call.end());
  });
  const opened = channel(address);
  const connection = await opened.connected();
  const long = talk(opened);
  const messages = long[Symbol.asyncIterator]();
  expect(`${(await messages.next()).value}`).toBe('row');
  for (let n = 0; n < 500; n++) for await (const _ of talk(opened)) break;
  while (!connection.isWorn) await new Promise((resolve) => setImmediate(resolve));
  expect(peers.size).toBe(1);
  expect(await outcome(talk(opened, 'end'))).toEqual({ texts: ['row'] });
  expect(peers.size).toBe(2);
  await messages.return(undefined);
});

test('of several addresses, those that fail or do not respond are passed over', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  stops.push(() => void silent.close());
  const { port } = silent.address() as { port: number };
  const { address } = await start(echo);
  const opened = channel(`ipv4:127.0.0.1:1,127.0.0.1:${port},${address}`);
  expect(await outcome(talk(opened, 'x'))).toEqual({ texts: ['x'] });
  expect(await failure(talk(channel('ipv4:127.0.0.1:1,127.0.0.1:2')))).toEqual([
    grpc.status.UNAVAILABLE,
    'connect ECONNREFUSED 127.0.0.1:2',
  ]);
});

test('names are resolved, and a Unix socket is reached', async () => {
  const { address } = await start(echo);
  const port = address.replace(/.*:/, '');
  expect(await outcome(talk(channel(`dns:///localhost:${port}`), 'x'))).toEqual({ texts: ['x'] });
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-socket-'));
  stops.push(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'socket');
  await startBytesServer(echo, undefined, `unix:${path}`).then(({ server }) => {
    stops.push(() => server.forceShutdown());
  });
  for (const form of [`unix:${path}`, `unix://${path}`])
    expect(await outcome(talk(channel(form), 'x'))).toEqual({ texts: ['x'] });
  expect((await failure(talk(channel('no-such-host.invalid:1'))))[1]).toContain(
    'no-such-host.invalid',
  );
});

test('an IPv6 address without a port is connected to', async () => {
  expect((await failure(talk(channel('::1'))))[1]).toMatch(/^connect E\w+ ::1:443/);
});

test('after it was closed, a channel does not connect to a name that is resolved then', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => void server.close());
  const { port } = server.address() as AddressInfo;
  let resolveName = (): void => {};
  const resolved = new Promise<Endpoint[]>((resolve) => {
    resolveName = () => resolve([{ host: '127.0.0.1', port }]);
  });
  const target = { authority: 'name', host: 'name', endpoints: () => resolved };
  const opened = new Channel(channelConfig(target, {}));
  const failed = failure(talk(opened));
  opened.close();
  expect((await failed)[1]).toBe('the client is closed');
  const peers: (number | undefined)[] = [];
  server.on('connection', (socket) => peers.push(socket.remotePort));
  resolveName();
  await new Promise((resolve) => setImmediate(resolve));
  const own = connectTcp(port, '127.0.0.1');
  await once(own, 'connect');
  await expect.poll(() => peers, { timeout: 10_000 }).toEqual([own.localPort]);
  own.destroy();
});

test('addresses have the forms that gRPC names', async () => {
  const endpoints = (address: string) => parseTarget(address, '--orchestrator').endpoints();
  expect(await endpoints('10.0.0.1:5051')).toEqual([{ host: '10.0.0.1', port: 5051 }]);
  expect(await endpoints('[::1]:5051')).toEqual([{ host: '::1', port: 5051 }]);
  expect(await endpoints('::1')).toEqual([{ host: '::1', port: 443 }]);
  expect(await endpoints('dns:10.0.0.1')).toEqual([{ host: '10.0.0.1', port: 443 }]);
  expect(await endpoints('ipv6:[::1]:1,[::2]:2')).toEqual([
    { host: '::1', port: 1 },
    { host: '::2', port: 2 },
  ]);
  for (const malformed of ['', 'a b:1', 'host:port', ':5051', 'http://host:5051', 'host:1:2'])
    expect(() => parseTarget(malformed, '--orchestrator')).toThrow(
      `--orchestrator '${malformed}' is no address of an orchestrator: host:port is expected`,
    );
});

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-tls-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** PEM texts, and the files that contain them. */
interface Pair {
  cert: string;
  key: string;
  files: { cert: string; key: string };
}

/** Makes a self-signed CA certificate for 127.0.0.1 and orchestrator.example. */
async function certificate(name: string): Promise<Pair> {
  const altNames = [
    { type: 7 as const, ip: '127.0.0.1' },
    { type: 2 as const, value: 'orchestrator.example' },
  ];
  const extensions = [
    { name: 'basicConstraints' as const, cA: true, critical: true },
    { name: 'subjectAltName' as const, altNames },
  ];
  const made = await generate([{ name: 'commonName', value: name }], { extensions });
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  writeFileSync(files.cert, made.cert);
  writeFileSync(files.key, made.private);
  return { cert: made.cert, key: made.private, files };
}

let service: Pair;
let client: Pair;
let stranger: Pair;
beforeAll(async () => {
  [service, client, stranger] = (await Promise.all(
    ['service', 'client', 'stranger'].map(certificate),
  )) as [Pair, Pair, Pair];
});

async function startTls(): Promise<string> {
  const pair = { cert_chain: Buffer.from(service.cert), private_key: Buffer.from(service.key) };
  const { createSsl } = grpc.ServerCredentials;
  return (await start(echo, createSsl(Buffer.from(client.cert), [pair], true))).address;
}

test('TLS with a client certificate, by IP address and by name', async () => {
  const address = await startTls();
  const tls = { tlsCa: service.files.cert, tlsCert: client.files.cert, tlsKey: client.files.key };
  expect(await outcome(talk(channel(address, tls), 'x'))).toEqual({ texts: ['x'] });
  const named = { ...tls, tlsName: 'orchestrator.example' };
  expect(await outcome(talk(channel(address, named), 'x'))).toEqual({ texts: ['x'] });
});

test('TLS refuses other names, other CAs, a plaintext client, and a client without the certificate', async () => {
  const address = await startTls();
  const tls = { tlsCa: service.files.cert, tlsCert: client.files.cert, tlsKey: client.files.key };
  const refused = async (credentials: ClientCredentials): Promise<string> => {
    const [code, details] = await failure(talk(channel(address, credentials), 'x'));
    expect(code).toBe(grpc.status.UNAVAILABLE);
    return details;
  };
  expect(await refused({ ...tls, tlsName: 'other.example' })).toContain(
    "Host: other.example. is not in the cert's altnames",
  );
  expect(await refused({ ...tls, tlsCa: stranger.files.cert })).toContain(
    'self-signed certificate',
  );
  await refused({});
  await refused({ tlsCa: service.files.cert });
  const { cert, key } = stranger.files;
  await refused({ ...tls, tlsCert: cert, tlsKey: key });
});

test('each connection reads the certificates again', async () => {
  const address = await startTls();
  const [cert, key] = [join(directory, 'renewed.crt'), join(directory, 'renewed.key')];
  const use = (pair: Pair): void => {
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
  };
  use(stranger);
  const opened = channel(address, { tlsCa: service.files.cert, tlsCert: cert, tlsKey: key });
  expect((await failure(talk(opened, 'x')))[0]).toBe(grpc.status.UNAVAILABLE);
  use(client);
  expect(await outcome(talk(opened, 'x'))).toEqual({ texts: ['x'] });
});
