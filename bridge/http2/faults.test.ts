/** Calls to servers that break the protocol, or whose connections break. */
import { once } from 'node:events';
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer, type Server } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { framed } from './messages.ts';
import { channelTo, failure, outcome, startBytesServer, talk } from './testing.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function channel(address: string): Channel {
  const opened = channelTo(address);
  stops.push(() => opened.close());
  return opened;
}

async function addressOf(server: Server | Http2Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

/** Starts an HTTP/2 server. `answer` gets the stream of each call when its request has ended. */
async function start(
  answer: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
): Promise<string> {
  const server = createHttp2Server({ maxSendHeaderBlockLength: 2 ** 20 });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    const { session } = stream;
    if (session !== undefined)
      stream.on('end', () => answer(stream, session as ServerHttp2Session));
  });
  stops.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return addressOf(server);
}

/** Sends these bytes, then trailers with a status. */
function respond(
  stream: ServerHttp2Stream,
  bytes: Buffer,
  trailers = { 'grpc-status': '0' },
): void {
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(bytes);
}

const ROW = framed(Buffer.from('row'));

const RESETS = [
  [constants.NGHTTP2_NO_ERROR, status.INTERNAL],
  [constants.NGHTTP2_PROTOCOL_ERROR, status.INTERNAL],
  [constants.NGHTTP2_INTERNAL_ERROR, status.INTERNAL],
  [constants.NGHTTP2_REFUSED_STREAM, status.UNAVAILABLE],
  [constants.NGHTTP2_CANCEL, status.CANCELLED],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, status.RESOURCE_EXHAUSTED],
  [constants.NGHTTP2_INADEQUATE_SECURITY, status.PERMISSION_DENIED],
] as const;

test.each(RESETS)('RST_STREAM with code %i is status %i', async (rst, code) => {
  const address = await start((stream) => stream.close(rst));
  const { texts, error } = await outcome(talk(channel(address), 'x'));
  expect([texts, error?.code]).toEqual([[], code]);
  expect(error?.isRefused).toBe(rst === constants.NGHTTP2_REFUSED_STREAM);
});

/** Returns an HTTP/2 frame. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = frame(4, 0, 0, Buffer.of());
/** Headers of stream 1 with status 200. */
const OK = frame(1, 4, 1, Buffer.of(0x88));

test.each([
  ['its settings', SETTINGS],
  ['its settings and GOAWAY', Buffer.concat([SETTINGS, frame(7, 0, 0, Buffer.alloc(8))])],
])('a server that resets each connection after %s fails the call', async (_, sent) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(sent, () => socket.resetAndDestroy());
  });
  stops.push(() => void server.close());
  const [code] = await failure(talk(channel(await addressOf(server)), 'x'));
  expect(code).toBe(status.UNAVAILABLE);
});

/** Starts a server of raw frames, which it sends when it has received the message 'x'. */
async function startRaw(frames: Buffer[], closes = false): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(SETTINGS);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('\0\0\0\x01x') || received.includes('\0\0\0\x01x\0'))
        for (const bytes of frames.splice(0)) socket.write(bytes);
      if (closes && frames.length === 0) socket.end();
    });
    stops.push(() => socket.destroy());
  });
  stops.push(() => void server.close());
  return addressOf(server);
}

test.each(RESETS)('RST_STREAM with code %i after a message is status %i', async (rst, code) => {
  const reset = Buffer.alloc(4);
  reset.writeUInt32BE(rst);
  const address = await startRaw([OK, frame(0, 0, 1, ROW), frame(3, 0, 1, reset)]);
  const { error } = await outcome(talk(channel(address), 'x'));
  expect([error?.code, error?.isRefused]).toEqual([
    ...[code, rst === constants.NGHTTP2_REFUSED_STREAM],
  ]);
});

test('a connection that shuts down completes its call, and the next call opens another one', async () => {
  const sessions = new Set<ServerHttp2Session>();
  const address = await start((stream, session) => {
    sessions.add(session);
    if (sessions.size === 1) session.goaway(constants.NGHTTP2_NO_ERROR);
    respond(stream, ROW);
  });
  const opened = channel(address);
  for (const connections of [1, 2, 2]) {
    expect(await outcome(talk(opened, 'x'))).toEqual({ texts: ['row'] });
    expect(sessions.size).toBe(connections);
  }
});

test('a call that the server does not process before it shuts down may be repeated', async () => {
  const address = await startRaw([frame(7, 0, 0, Buffer.alloc(8))]);
  const { error } = await outcome(talk(channel(address), 'x'));
  expect([error?.code, error?.isRefused]).toEqual([status.UNAVAILABLE, true]);
});

test('a connection that is closed with an error fails its calls, and the next call opens another one', async () => {
  let calls = 0;
  const address = await start((stream, session) => {
    if (calls++ > 0) respond(stream, ROW);
    else session.goaway(constants.NGHTTP2_INTERNAL_ERROR, 2 ** 31 - 1);
  });
  const opened = channel(address);
  expect((await failure(talk(opened, 'x')))[0]).toBe(status.UNAVAILABLE);
  expect(await outcome(talk(opened, 'x'))).toEqual({ texts: ['row'] });
});

test('a response of trailers only is a failure with its text, or a success without messages', async () => {
  const trailers = [
    { 'grpc-status': '5', 'grpc-message': 'no%20row %zz' },
    { 'grpc-status': '5', 'grpc-message': '%e2%82%ac %23' },
    { 'grpc-status': 'x' },
    { 'grpc-status': '0' },
  ];
  const address = await start((stream) =>
    stream.respond({ ...HEADERS, ...trailers.shift() }, { endStream: true }),
  );
  const opened = channel(address);
  expect(await failure(talk(opened, 'x'))).toEqual([status.NOT_FOUND, 'no%20row %zz']);
  expect(await failure(talk(opened, 'x'))).toEqual([status.NOT_FOUND, '€ #']);
  expect(await failure(talk(opened, 'x'))).toEqual([status.UNKNOWN, "received the status 'x'"]);
  expect(await outcome(talk(opened, 'x'))).toEqual({ texts: [] });
});

test('a response without trailers, or whose trailers have no status, is a failure', async () => {
  let calls = 0;
  const address = await start((stream) => {
    if (calls++ > 0) return respond(stream, ROW, { 'grpc-status': [] as never });
    stream.respond(HEADERS);
    stream.end(ROW);
  });
  const opened = channel(address);
  for (let n = 0; n < 2; n++) {
    const { texts, error } = await outcome(talk(opened, 'x'));
    expect([texts, error?.code, error?.details]).toEqual([
      ...[['row'], status.INTERNAL, 'the call ended without a gRPC status'],
    ]);
  }
});

test.each([
  [400, status.INTERNAL],
  [401, status.UNAUTHENTICATED],
  [403, status.PERMISSION_DENIED],
  [404, status.UNIMPLEMENTED],
  [429, status.UNAVAILABLE],
  [500, status.UNKNOWN],
  [503, status.UNAVAILABLE],
])('HTTP status %i is status %i, with a page or without', async (http, code) => {
  let calls = 0;
  const address = await start((stream) => {
    const hasPage = calls++ > 0;
    stream.respond({ ':status': http, 'content-type': 'text/html' }, { endStream: !hasPage });
    if (hasPage) stream.end('<html>'.repeat(10));
  });
  const opened = channel(address);
  for (let n = 0; n < 2; n++)
    expect(await failure(talk(opened, 'x'))).toEqual([code, `received HTTP status code ${http}`]);
});

test.each([
  ['that is compressed', Buffer.of(1, 0, 0, 0, 0), 'received a compressed message'],
  ['whose flag is unknown', Buffer.from('<html>'), 'received data that is no message (60)'],
  ['that ends early', framed(Buffer.from('abc')).subarray(0, 7), 'the call ended within a message'],
  ['whose head ends early', Buffer.of(0, 0), 'the call ended within a message'],
])('a message %s is a failure', async (_, bytes, text) => {
  const address = await start((stream) => respond(stream, bytes));
  expect(await failure(talk(channel(address), 'x'))).toEqual([status.INTERNAL, text]);
  const after = await start((stream) => respond(stream, Buffer.concat([ROW, bytes])));
  const { texts, error } = await outcome(talk(channel(after), 'x'));
  expect([texts, error?.details]).toEqual([['row'], text]);
});

test('a message of more than 2 GiB is refused by its head', async () => {
  const address = await start((stream) => {
    stream.respond(HEADERS);
    stream.write(Buffer.of(0, 128, 0, 0, 0, 1));
  });
  expect(await failure(talk(channel(address), 'x'))).toEqual([
    status.RESOURCE_EXHAUSTED,
    'received a message of 2147483648 bytes, the bound is 2147483647',
  ]);
});

test('trailers that are too large are a failure', async () => {
  const names = Array.from({ length: 200 }, (_, n) => [`name-${n}`, 'x'.repeat(1000)]);
  const trailers = { 'grpc-status': '0', ...Object.fromEntries(names) };
  const address = await start((stream) => respond(stream, ROW, trailers));
  const { error } = await outcome(talk(channel(address), 'x'));
  expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
});

test('malformed frames are a failure, at the latest after a ping without response', async () => {
  const malformed = [
    frame(0, 0, 1, ROW).subarray(0, 12),
    frame(0, 0, 7, ROW), // of a stream that does not exist
    frame(0, 0, 1, Buffer.alloc(20_000)), // longer than allowed
    frame(1, 4, 1, Buffer.of(0xff, 0xff, 0xff)), // no headers
  ];
  const codes = malformed.map(async (bytes) => {
    const address = await startRaw([OK, bytes], true);
    return (await outcome(talk(channel(address), 'x'))).error?.code;
  });
  expect(await Promise.all(codes)).toEqual(malformed.map(() => status.UNAVAILABLE));
});

test('data that is not HTTP/2 is a failure', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  stops.push(() => void server.close());
  const [code] = await failure(talk(channel(await addressOf(server)), 'x'));
  expect(code).toBe(status.UNAVAILABLE);
});

/** Passes bytes between client and server, and ends both connections after `bytes` of the response. */
async function startCut(target: string, bytes: number, how: 'end' | 'reset'): Promise<string> {
  const proxy = createServer((socket) => {
    const onward = connectTcp(Number(target.split(':')[1]), '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => {});
    socket.on('close', () => onward.destroy());
    socket.pipe(onward);
    let left = bytes;
    onward.on('data', (chunk: Buffer) => {
      socket.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      onward.destroy();
      if (how === 'end') socket.end();
      else setImmediate(() => socket.resetAndDestroy());
    });
  });
  stops.push(() => void proxy.close());
  return addressOf(proxy);
}

test('a connection that is cut after any byte of the response is a failure, never a short success', async () => {
  const { server, address } = await startBytesServer((call) => {
    call.write(Buffer.from('first'));
    call.write(Buffer.from('second'));
    call.end();
  });
  stops.push(() => server.forceShutdown());
  let successes = 0;
  for (let bytes = 1; successes < 2; bytes++) {
    expect(bytes).toBeLessThan(1000);
    const how = bytes % 2 === 0 ? 'end' : 'reset';
    const { texts, error } = await outcome(talk(channel(await startCut(address, bytes, how)), 'x'));
    const all = ['first', 'second'];
    expect(texts).toEqual(all.slice(0, texts.length));
    if (error === undefined) {
      expect(texts).toEqual(all);
      successes++;
    } else expect(error.code).toBe(status.UNAVAILABLE);
  }
});
