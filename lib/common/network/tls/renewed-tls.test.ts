/** Tests that certificates are replaced while calls run: those of services, of clients, and the CAs of both. */
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChannel } from '../../grpc-channel.ts';
import { PLAINTEXT_SERVER } from '../../options/server-security-options.ts';
import { createSecureServer, hostCheckOf } from '../server-security.ts';
import { RenewedTls } from './renewed-tls.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-renewed-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string): string => join(directory, name);

/** Writes a self-signed certificate, NAME.crt, and its key, NAME.key. */
async function certificate(name: string): Promise<void> {
  const altNames = [
    { type: 7 as const, ip: '127.0.0.1' },
    { type: 2 as const, value: `${name}.example` },
  ];
  const extensions = [
    { name: 'basicConstraints' as const, cA: true, critical: true },
    { name: 'subjectAltName' as const, altNames },
  ];
  const made = await generate([{ name: 'commonName', value: name }], { extensions });
  writeFileSync(path(`${name}.crt`), made.cert);
  writeFileSync(path(`${name}.key`), made.private);
}

const replace = (name: string, by: string): void => copyFileSync(path(by), path(name));
const use = (name: string, nth: number): void => {
  for (const end of ['crt', 'key']) replace(`${name}.${end}`, `${name}${nth}.${end}`);
};

/** Of the server. */
const tls = { cert: path('service.crt'), key: path('service.key'), clientCa: path('clients.crt') };
/** Of a client. */
const credentials = {
  tlsCa: path('services.crt'),
  tlsCert: path('client.crt'),
  tlsKey: path('client.key'),
};
const LOOK_MS = 10;

beforeAll(async () => {
  await Promise.all(['service1', 'service2', 'client1', 'client2'].map(certificate));
});

const echo: grpc.ServiceDefinition = {
  Talk: {
    ...{ path: '/test.Echo/Talk', requestStream: true, responseStream: true },
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  },
};

async function serve(): Promise<{ server: grpc.Server; port: number }> {
  const security = { ...PLAINTEXT_SERVER, tls };
  const made = createSecureServer(security, {}, [], LOOK_MS);
  made.server.addService(echo, {
    Talk: (call: grpc.ServerDuplexStream<string, string>) => {
      call.on('data', (text) => call.write(`${text} back`)).on('end', () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    made.server.bindAsync('127.0.0.1:0', made.credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server: made.server, port };
}

type Talk = grpc.ClientDuplexStream<string, string>;

interface Client {
  begin(): Talk;
  close(): void;
}

/** Returns a client with a connection of its own. */
function clientOf(port: number, channel: ReturnType<typeof openChannel>): Client {
  const Stub = grpc.makeClientConstructor(echo, 'test');
  const stub = new Stub(`127.0.0.1:${port}`, channel.credentials, {
    'grpc.use_local_subchannel_pool': 1,
  });
  const begin = (): Talk => stub['Talk']?.() as Talk;
  return { begin, close: () => stub.close() };
}

async function say(talk: Talk, text: string): Promise<string> {
  const answer = once(talk, 'data');
  talk.write(text);
  return String((await answer)[0]);
}

/** Returns the response of a new call, or the name of the error status. */
async function outcome(client: Client): Promise<string> {
  const talk = client.begin();
  try {
    return await say(talk, 'hello');
  } catch (error) {
    return grpc.status[(error as grpc.ServiceError).code] ?? '';
  } finally {
    talk.on('error', () => {}).cancel();
    client.close();
  }
}

/** Returns the common name of the certificate that a new connection gets. */
function presentedName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('certificates and CAs of both sides are replaced while a call runs', async () => {
  use('service', 1);
  use('client', 1);
  replace('clients.crt', 'client1.crt');
  replace('services.crt', 'service1.crt');
  const { server, port } = await serve();
  const channel = openChannel(credentials);
  const first = clientOf(port, channel);
  const running = first.begin();
  expect(await say(running, 'one')).toBe('one back');

  replace('service.crt', 'service2.crt'); // for a moment the key is that of the other certificate
  const replaced = performance.now();
  while (performance.now() < replaced + 10 * LOOK_MS)
    expect(await presentedName(port)).toBe('service1');
  replace('service.key', 'service2.key');
  await expect.poll(() => presentedName(port), { timeout: 20_000 }).toBe('service2');
  expect(await say(running, 'two')).toBe('two back');

  expect(await outcome(clientOf(port, channel))).toBe('UNAVAILABLE'); // it trusts the first service only
  replace('services.crt', 'service2.crt');
  expect(await outcome(clientOf(port, channel))).toBe('hello back');

  replace('clients.crt', 'client2.crt');
  const isRefused = async (): Promise<string> => outcome(clientOf(port, channel));
  await expect.poll(isRefused, { timeout: 20_000 }).toBe('UNAVAILABLE');
  use('client', 2);
  expect(await outcome(clientOf(port, channel))).toBe('hello back');

  expect(await say(running, 'three')).toBe('three back');
  running.end();
  await once(running, 'end');
  first.close();
  server.forceShutdown();
});

test('a host name of the new certificate is allowed', () => {
  use('service', 1);
  const isAllowed = hostCheckOf({ ...PLAINTEXT_SERVER, tls });
  const names = ['service1.example', 'service2.example'];
  const allowed = (): boolean[] => names.map((name) => isAllowed(name, '127.0.0.1'));
  expect(allowed()).toEqual([true, false]);
  use('service', 2);
  expect(allowed()).toEqual([false, true]);
});

test('while files are missing or do not match, those before are used', () => {
  use('client', 1);
  const files = new RenewedTls({
    ca: undefined,
    cert: credentials.tlsCert,
    key: credentials.tlsKey,
  });
  const before = files.current;
  for (const text of ['', 'no certificate']) {
    writeFileSync(credentials.tlsCert, text);
    expect(files.current).toBe(before);
  }
  rmSync(credentials.tlsCert);
  expect(files.current).toBe(before);
  replace('client.crt', 'client2.crt');
  expect(files.current).toBe(before);
  use('client', 2);
  expect(files.current).not.toBe(before);
  expect(files.current).toBe(files.current);
});

test('while a CA is being written, the one before is used', () => {
  replace('services.crt', 'service1.crt');
  const files = new RenewedTls({ ca: credentials.tlsCa, cert: undefined, key: undefined });
  const before = files.current;
  const both = ['service1.crt', 'service2.crt'].map((name) => readFileSync(path(name), 'utf8'));
  const text = `the old one\n${both.join('\nthe new one\n')}`;
  for (const part of ['no certificate', text.slice(0, 100), text.slice(0, -50)]) {
    writeFileSync(credentials.tlsCa, part);
    expect(files.current).toBe(before);
  }
  writeFileSync(credentials.tlsCa, text);
  expect(files.current.ca?.toString()).toBe(text);
});
