import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChannel } from '../grpc-channel.ts';
import { addHealth } from '../observability/health.ts';
import {
  PLAINTEXT_SERVER,
  resolveServerSecurity,
  type ServerSecurity,
  type ServerSecurityFlags,
} from '../options/server-security-options.ts';
import type { ClientCredentials } from './client-credentials.ts';
import { httpServer } from './http-server.ts';
import { listening } from './listening.ts';
import { createSecureServer, INFLATED_BYTES_MAX } from './server-security.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-edge-'));
afterAll(() => rmSync(directory, { recursive: true }));

function written(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const names = (commonName: string) => [{ name: 'commonName', value: commonName }];
const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
const token = written('token', 'sesame\n');
const otherToken = written('other-token', 'sesamE\n');
let tls: { cert: string; key: string };
let client: { cert: string; key: string };
let stranger: { cert: string; key: string };

/** Writes a self-signed CA certificate and its key. */
async function certificate(name: string): Promise<{ cert: string; key: string }> {
  const extensions = [
    { name: 'basicConstraints' as const, cA: true, critical: true },
    { name: 'subjectAltName' as const, altNames },
  ];
  const { cert, private: key } = await generate(names(name), { extensions });
  return { cert: written(`${name}.crt`, cert), key: written(`${name}.key`, key) };
}

beforeAll(async () => {
  [tls, client, stranger] = await Promise.all([
    certificate('service'),
    certificate('client'),
    certificate('stranger'),
  ]);
});

const echo: grpc.ServiceDefinition = {
  Say: {
    path: '/test.Echo/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  },
};

interface Sent {
  options?: grpc.ClientOptions;
  metadata?: grpc.Metadata;
}

const unbounded = { 'grpc.max_receive_message_length': -1 };

async function serve(
  serverSecurity: Partial<ServerSecurity>,
): Promise<{ server: grpc.Server; port: number }> {
  const { server, credentials: serverCredentials } = createSecureServer(
    { ...PLAINTEXT_SERVER, ...serverSecurity },
    unbounded,
  );
  addHealth(server);
  server.addService(echo, {
    Say: (call: { request: string }, reply: (error: null, text: string) => void) =>
      reply(null, `${call.request} back`),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { server, port };
}

type Stub = InstanceType<grpc.ServiceClientConstructor>;

function stubOf(
  port: number,
  credentials: ClientCredentials,
  definition: grpc.ServiceDefinition = echo,
  options: grpc.ClientOptions = {},
): Stub {
  const channel = openChannel(credentials);
  const Client = grpc.makeClientConstructor(definition, 'test');
  return new Client(`127.0.0.1:${port}`, channel.credentials, {
    ...channel.options,
    ...unbounded,
    ...options,
  });
}

/** Returns the response, or the name of the error status. */
function call(
  stub: Stub,
  method = 'Say',
  request: unknown = 'hello',
  metadata = new grpc.Metadata(),
): Promise<unknown> {
  return new Promise((resolve) =>
    stub[method]?.(
      request,
      metadata,
      { deadline: Date.now() + 120_000 },
      (error: grpc.ServiceError | null, got?: unknown) =>
        resolve(error === null ? got : grpc.status[error.code]),
    ),
  );
}

/** Calls a service with `serverSecurity` as a client with `credentials`. Returns the response, or the name of the error status. */
async function statusFrom(
  serverSecurity: Partial<ServerSecurity>,
  credentials: ClientCredentials,
  [definition, method, request]: [grpc.ServiceDefinition, string, unknown] = [echo, 'Say', 'hello'],
  { options = {}, metadata = new grpc.Metadata() }: Sent = {},
): Promise<unknown> {
  const { server, port } = await serve(serverSecurity);
  const stub = stubOf(port, credentials, definition, options);
  const response = await call(stub, method, request, metadata);
  stub.close();
  server.forceShutdown();
  return response;
}

describe('authentication', () => {
  it('a plaintext service without a token responds to every client', async () => {
    expect(await statusFrom({}, {})).toBe('hello back');
  });

  it('a service with a token responds only to clients that send it', async () => {
    expect(await statusFrom({ tokenFile: token }, { tokenFile: token })).toBe('hello back');
    expect(await statusFrom({ tokenFile: token }, { tokenFile: otherToken })).toBe(
      'UNAUTHENTICATED',
    );
    expect(await statusFrom({ tokenFile: token }, {})).toBe('UNAUTHENTICATED');
  });

  it('a replaced token is used and required from the next call on', async () => {
    const file = written('replaced', 'first');
    const { server, port } = await serve({ tokenFile: file });
    const stubs = [file, written('kept', 'first')].map((tokenFile) => stubOf(port, { tokenFile }));
    const answers = (): Promise<unknown[]> => Promise.all(stubs.map((stub) => call(stub)));
    expect(await answers()).toEqual(['hello back', 'hello back']);
    writeFileSync(file, 'the second');
    expect(await answers()).toEqual(['hello back', 'UNAUTHENTICATED']);
    writeFileSync(file, '');
    expect(await answers()).toEqual(['hello back', 'UNAUTHENTICATED']);
    for (const stub of stubs) stub.close();
    server.forceShutdown();
  });

  it('health checks need no authentication', async () => {
    const check: [grpc.ServiceDefinition, string, unknown] = [service, 'Check', { service: '' }];
    expect(await statusFrom({ tokenFile: token }, {}, check)).toMatchObject({ status: 'SERVING' });
  });

  it('a TLS service responds only to TLS clients that trust its certificate', async () => {
    const serverSecurity = { tls: { ...tls, clientCa: undefined } };
    expect(await statusFrom(serverSecurity, { tlsCa: tls.cert })).toBe('hello back');
    expect(await statusFrom(serverSecurity, { tlsCa: stranger.cert })).toBe('UNAVAILABLE');
    expect(await statusFrom(serverSecurity, {})).toBe('UNAVAILABLE');
  });

  it('a service with a client CA responds only to clients with a certificate of that CA', async () => {
    const serverSecurity = { tls: { ...tls, clientCa: client.cert } };
    const known = { tlsCa: tls.cert, tlsCert: client.cert, tlsKey: client.key };
    expect(await statusFrom(serverSecurity, known)).toBe('hello back');
    const unknown = { tlsCa: tls.cert, tlsCert: stranger.cert, tlsKey: stranger.key };
    expect(await statusFrom(serverSecurity, unknown)).toBe('UNAVAILABLE');
    expect(await statusFrom(serverSecurity, { tlsCa: tls.cert })).toBe('UNAVAILABLE');
  });
});

describe('requests that a web page could send on loopback', () => {
  const refused = 'PERMISSION_DENIED';
  const requestTo = (authority: string, allowedHosts: string[] = []) =>
    statusFrom({ allowedHosts }, {}, undefined, {
      options: { 'grpc.default_authority': authority },
    });

  it('a host name that a stranger can own is rejected unless it is allowed', async () => {
    expect(await requestTo('evil.example:5051')).toBe(refused);
    expect(await requestTo('evil.example:5051', ['*.example'])).toBe('hello back');
    expect(await requestTo('localhost:5051')).toBe('hello back');
  });

  it('a call with an Origin header is rejected', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('origin', 'https://ui.perfetto.dev');
    expect(await statusFrom({}, {}, undefined, { metadata })).toBe(refused);
  });
});

/** Sends a gRPC-web call as a page would, over HTTP/2. Returns the HTTP status and the gRPC status. */
async function requestFromPage(
  port: number,
  headers: OutgoingHttpHeaders,
): Promise<[number | undefined, string | undefined]> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': '/test.Echo/Say', ...headers });
  stream.on('error', () => {});
  stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, 5), Buffer.from('hello')]));
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (received: IncomingHttpHeaders) => {
    trailers = received;
  });
  const [response] = (await once(stream, 'response')) as [
    IncomingHttpHeaders & { ':status'?: number },
  ];
  stream.resume();
  await once(stream, 'close');
  session.close();
  const status = response['grpc-status'] ?? trailers['grpc-status'];
  return [response[':status'], status === undefined ? undefined : grpc.status[Number(status)]];
}

it('gRPC-web calls of a page are rejected', async () => {
  const { server, port } = await serve({});
  const origin = 'http://evil.example';
  const GOOD = 'application/grpc';
  expect(await requestFromPage(port, { 'content-type': GOOD })).toEqual([200, 'OK']);
  for (const type of [GOOD, `${GOOD}-web`, `${GOOD}-web+proto`, `${GOOD}-web-text`])
    expect(await requestFromPage(port, { 'content-type': type, origin })).toEqual([
      200,
      'PERMISSION_DENIED',
    ]);
  // Without a preflight a page can send only these types.
  for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded'])
    expect((await requestFromPage(port, { 'content-type': type, origin }))[0]).toBe(415);
  const overHttp1 = fetch(`http://127.0.0.1:${port}/test.Echo/Say`, {
    method: 'POST',
    body: 'hello',
  });
  await expect(overHttp1).rejects.toThrow();
  server.forceShutdown();
});

it('the inflated size of a compressed message is bounded; an uncompressed message may be larger', async () => {
  const long = 'x'.repeat(INFLATED_BYTES_MAX + 1);
  const gzip = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
  const send = (request: string, options: grpc.ClientOptions = {}) =>
    statusFrom({}, {}, [echo, 'Say', request], { options });
  expect(await send(long, gzip)).toBe('RESOURCE_EXHAUSTED');
  expect(await send('short', gzip)).toBe('short back');
  expect(await send(long)).toBe(`${long} back`);
});

describe('the security flags of a service', () => {
  const resolve = (flags: Partial<ServerSecurityFlags>, socket = '10.0.0.1:5051') =>
    resolveServerSecurity({ insecure: false, ...flags }, socket);

  it.each(['127.0.0.1:1', 'localhost:1', '[::1]:1'])('%s needs no security flags', (socket) => {
    expect(resolve({}, socket)).toEqual(PLAINTEXT_SERVER);
  });

  it.each([
    ['0.0.0.0:1', {}],
    ['[::]:1', { tokenFile: 'token' }],
    ['trace.example:1', { tlsCert: 'a', tlsKey: 'b' }],
  ])('%s with the flags %o is rejected', (socket, flags) => {
    expect(() => resolve(flags, socket)).toThrow(
      `${socket} accepts connections from other machines: it needs --tls-cert, --tls-key and one of ` +
        '--tls-client-ca or --token-file; or pass --insecure',
    );
  });

  it('a public address is accepted with TLS and authentication, or with --insecure', () => {
    const tlsFlags = { tlsCert: 'a', tlsKey: 'b' };
    expect(resolve({ insecure: true })).toEqual(PLAINTEXT_SERVER);
    expect(resolve({ ...tlsFlags, tokenFile: 'c' })).toMatchObject({ tokenFile: 'c' });
    expect(resolve({ ...tlsFlags, tlsClientCa: 'c' })).toMatchObject({ tls: { clientCa: 'c' } });
  });

  it('incomplete or unreadable certificates and tokens are rejected', () => {
    expect(() => resolve({ tlsCert: 'a' })).toThrow(
      '--tls-cert and --tls-key must be given together',
    );
    expect(() => resolve({ tlsClientCa: 'a' })).toThrow('--tls-client-ca needs --tls-cert');
    expect(() => openChannel({ tlsCa: 'a', tlsCert: 'b' })).toThrow('must be given together');
    expect(() => openChannel({ tlsCa: join(directory, 'none') })).toThrow('ENOENT');
    expect(() => openChannel({ tokenFile: written('empty', '\n') })).toThrow('is empty');
  });
});

/** Returns the common name of the certificate that a new connection gets. */
function presentedName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

it('new connections get the certificate that the files have now', async () => {
  const [cert, key] = [join(directory, 'renewed-cert'), join(directory, 'renewed-key')];
  const of = (name: string) => generate(names(name));
  const [first, second] = await Promise.all([of('first'), of('second')]);
  writeFileSync(cert, first.cert);
  writeFileSync(key, first.private);
  const security = { ...PLAINTEXT_SERVER, tls: { cert, key, clientCa: undefined } };
  const server = httpServer(security, {}, (_, response) => response.end(), 10);
  try {
    const port = await listening(server, '127.0.0.1:0');
    expect(await presentedName(port)).toBe('first');
    writeFileSync(cert, second.cert); // for a moment the key is that of the first certificate
    expect(await presentedName(port)).toBe('first');
    writeFileSync(key, second.private);
    await expect.poll(() => presentedName(port), { timeout: 10_000 }).toBe('second');
  } finally {
    server.close();
  }
});
