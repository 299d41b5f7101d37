/** Calls to a server of node:http2, for what servers of gRPC do not do. */
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream, type Settings } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Channel, channelConfig } from './channel.ts';
import { decodeHeaders, encodeHeaders, MalformedHeaders } from './hpack.ts';
import { framed } from './messages.ts';
import { parseTarget } from './target.ts';
import { channelTo, outcome, talk } from './testing.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

interface Received {
  bytes: number;
  headers: Record<string, string | string[] | undefined>;
}

/** Starts a server that answers each request with the message 'row' and what `trailersOf` returns. */
async function start(
  settings: Settings,
  trailersOf: (received: Received) => Record<string, string>,
  answerable: Promise<void> = Promise.resolve(),
): Promise<{ address: string; most: () => number }> {
  const server: Http2Server = createServer({ settings, maxSendHeaderBlockLength: 2 ** 20 });
  let open = 0;
  let most = 0;
  const respond = async (stream: ServerHttp2Stream, received: Received): Promise<void> => {
    for await (const piece of stream) received.bytes += (piece as Buffer).length;
    await answerable;
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': '0', ...trailersOf(received) }),
    );
    stream.on('close', () => open--);
    stream.end(framed(Buffer.from('row')));
  };
  server.on('stream', (stream, headers) => {
    most = Math.max(most, ++open);
    void respond(stream, { bytes: 0, headers });
  });
  server.on('session', (session) => stops.push(() => session.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, most: () => most };
}

function channel(address: string): Channel {
  const opened = channelTo(address);
  stops.push(() => opened.close());
  return opened;
}

test('headers of all characters and of many lengths are read as node:http2 sends them', async () => {
  const visible = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => byte === 9 || (byte >= 0x20 && byte !== 0x7f),
  );
  const rare = visible.map((byte) => `${'0'.repeat(60)}${String.fromCharCode(byte)}a`);
  const long = Array.from({ length: 300 }, (_, length) => 'ab~'.repeat(length).slice(0, length));
  const sent = Object.fromEntries([...rare, ...long].map((value, at) => [`x-${at}`, value]));
  const { address } = await start({}, () => sent);
  const opened = channel(address);
  const connection = await opened.connected();
  const trailers = await new Promise((resolve) => {
    const stream = connection.open('/a', {}, { ...IGNORED, onTrailers: resolve });
    stream.end();
  });
  expect({ ...(trailers as object) }).toEqual({ 'grpc-status': '0', ...sent });
});

const IGNORED = { onHeaders: () => {}, onTrailers: () => {}, onClose: () => {} };

test('calls beyond the bound of a server wait until others have ended', async () => {
  let answer = (): void => {};
  const answerable = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { address, most } = await start({ maxConcurrentStreams: 2 }, () => ({}), answerable);
  const opened = channel(address);
  await opened.connected();
  const calls = Array.from({ length: 7 }, (_, n) => talk(opened, `${n}`));
  const outcomes = calls.map(outcome);
  calls[5]?.cancel();
  await expect.poll(most).toBe(2);
  answer();
  const texts = (await Promise.all(outcomes)).map((each) => each.texts);
  expect(texts).toEqual(calls.map((_, n) => (n === 5 ? [] : ['row'])));
  expect(most()).toBe(2);
});

test('a message that is longer than the windows is sent as the server reads it', async () => {
  const sizes: number[] = [];
  const { address } = await start({ initialWindowSize: 1000 }, ({ bytes }) => {
    sizes.push(bytes);
    return {};
  });
  expect(await outcome(talk(channel(address), Buffer.alloc(300_000), 'x'))).toEqual({
    texts: ['row'],
  });
  expect(sizes).toEqual([300_000 + 1 + 2 * 5]);
});

test('request headers that are longer than a frame arrive', async () => {
  const authorities: unknown[] = [];
  const { address } = await start({ maxHeaderListSize: 200_000 }, ({ headers }) => {
    authorities.push(headers[':authority']);
    return {};
  });
  const target = { ...parseTarget(address, '--orchestrator'), authority: 'a'.repeat(40_000) };
  const opened = new Channel(channelConfig(target, {}));
  stops.push(() => opened.close());
  expect(await outcome(talk(opened, 'x'))).toEqual({ texts: ['row'] });
  expect(authorities).toEqual(['a'.repeat(40_000)]);
});

test('headers are read as RFC 7541 encodes them', () => {
  const decoded = (hex: string) => ({
    ...decodeHeaders(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
  });
  expect(decoded('828684418cf1e3c2e5f23a6ba0ab90f4ff')).toEqual({
    ...{ ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'www.example.com' },
  });
  expect(decoded('20 4882 6402 5885 aec3771a4b')).toEqual({
    ...{ ':status': '302', 'cache-control': 'private' },
  });
  expect(decoded('400a637573746f6d2d6b65790d637573746f6d2d686561646572')).toEqual({
    'custom-key': 'custom-header',
  });
  expect(decoded('0001610162 1001610163')).toEqual({ a: ['b', 'c'] });
  const long = { name: 'x'.repeat(127), other: 'y'.repeat(100_000), empty: '' };
  expect({ ...decodeHeaders(encodeHeaders(long)) }).toEqual(long);
});

test.each([
  ['80', 'the field 0'],
  ['be', 'a field of the dynamic table'],
  ['21', 'a dynamic table'],
  ['00', 'no name'],
  ['000161', 'no value'],
  ['0001610562', 'a value that is cut short'],
  ['00016181ff', 'a code that is padding only'],
  ['0001618100', 'padding of zeros'],
  ['00016184ffffffff', 'the code of the end'],
  ['00017fffffffffffff', 'a length that is too large'],
])('a header block %s is refused: %s', (hex) => {
  expect(() => decodeHeaders(Buffer.from(hex, 'hex'))).toThrow(MalformedHeaders);
});
