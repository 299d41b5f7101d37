import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { afterEach, expect, test } from 'vitest';
import { opened, plainForPlainClients, sealed } from './checked.ts';
import { LOADER_OPTIONS } from './loader-options.mjs';
import type { RunRequest, UnbarRequestInput } from './messages.ts';
import { BigtraceWorker } from './services.ts';

/** Seals a message made of these bytes, each reduced to 7 bits. */
function seal(bytes: Uint8Array): Buffer {
  const writer = protobuf.Writer.create();
  for (const byte of bytes) writer.uint32(byte & 0x7f);
  return sealed(writer);
}

test('opened returns the message that sealed was given', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(opened(seal(bytes))).toEqual(Buffer.from(bytes.map((byte) => byte & 0x7f)));
    }),
  );
});

test('opened rejects a message with a flipped bit or without its last byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const whole = seal(bytes);
      expect(() => opened(whole.subarray(0, -1))).toThrow('checksum is wrong');
      const index = at % whole.length;
      whole[index] = (whole[index] ?? 0) ^ (1 << bit);
      expect(() => opened(whole)).toThrow('checksum is wrong');
    }),
  );
});

type Service = grpc.ServiceDefinition;

const CHECKED: Service = BigtraceWorker.service;

/** The service as a client generated from the `.proto` file sees it: without checksums. */
const GENERATED = protoLoader.loadSync(join(import.meta.dirname, 'bigtrace.proto'), LOADER_OPTIONS)[
  'bigtrace.v1.Worker'
] as Service;

function method(service: Service, name: 'Run' | 'Unbar'): Service[string] {
  const handler = service[name];
  if (handler === undefined) throw new Error(`no method ${name}`);
  return handler;
}

/** The service of a worker that requires checksums, as workers before version 0.2 do. */
const REQUIRING: Service = {
  ...CHECKED,
  Unbar: {
    ...method(CHECKED, 'Unbar'),
    requestDeserialize: (bytes: Buffer) =>
      method(GENERATED, 'Unbar').requestDeserialize(opened(bytes)),
  },
};

const same = (bytes: Buffer): Buffer => bytes;
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const end of cleanUp.splice(0)) end();
});

/** Starts a worker that lifts 300 bars, and returns the credits 7 for each request of `Run`. */
async function startWorker(service: Service): Promise<string> {
  const server = new grpc.Server({ interceptors: [plainForPlainClients] });
  server.addService(service, {
    Unbar: (_call: unknown, reply: grpc.sendUnaryData<object>) => reply(null, { lifted: 300 }),
    Run: (call: grpc.ServerDuplexStream<RunRequest, object>) => {
      call.on('data', () => call.write({ event: [{ credits: 7 }] }));
      call.on('end', () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  cleanUp.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function connect(address: string): grpc.Client {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  cleanUp.push(() => client.close());
  return client;
}

/** Calls `Unbar` as a client of `service`. Returns the bytes of the response, and what the client reads from them. */
async function unbar(address: string, service: Service): Promise<{ bytes: Buffer; read: object }> {
  const Unbar = method(service, 'Unbar');
  const request: UnbarRequestInput = { trace: [], all: true };
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    connect(address).makeUnaryRequest(
      Unbar.path,
      Unbar.requestSerialize,
      same,
      request,
      (error, response) => (response === undefined ? reject(error) : resolve(response)),
    );
  });
  return { bytes, read: Unbar.responseDeserialize(bytes) };
}

const LIFTED = { lifted: 300, unreached: [] };
const PLAIN = method(GENERATED, 'Unbar').responseSerialize({ lifted: 300 });

test('a client that sends checksums gets them, from workers that require them too', async () => {
  for (const service of [CHECKED, REQUIRING]) {
    const { bytes, read } = await unbar(await startWorker(service), CHECKED);
    expect(read).toEqual(LIFTED);
    expect(opened(bytes)).toEqual(PLAIN);
  }
});

test('a client that sends no checksums gets none', async () => {
  const { bytes, read } = await unbar(await startWorker(CHECKED), GENERATED);
  expect(read).toEqual(LIFTED);
  expect(bytes).toEqual(PLAIN);
});

/** Sends requests on one `Run` stream. Returns the responses, and the status that ends the stream. */
async function run(requests: Buffer[]): Promise<[responses: Buffer[], grpc.StatusObject]> {
  const client = connect(await startWorker(CHECKED));
  const call = client.makeBidiStreamRequest(method(CHECKED, 'Run').path, same, same);
  const responses: Buffer[] = [];
  call.on('data', (response: Buffer) => responses.push(response));
  call.on('error', () => {}); // the status says it
  const status = new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve));
  for (const request of requests) call.write(request);
  call.end();
  return [responses, await status];
}

test('a stream has checksums or none, as its first request', async () => {
  const requests = [1, 2].map((id) => ({ withdraw: { id: [id] } }));
  const plain = requests.map(method(GENERATED, 'Run').requestSerialize);
  const response = method(GENERATED, 'Run').responseSerialize({ event: [{ credits: 7 }] });
  const [responses, { code }] = await run(plain);
  expect([responses, code]).toEqual([[response, response], grpc.status.OK]);

  const checked = requests.map(method(CHECKED, 'Run').requestSerialize);
  const [checkedAnswers] = await run(checked);
  expect(checkedAnswers.map(opened)).toEqual([response, response]);

  const [first, second] = [checked[0] as Buffer, plain[1] as Buffer];
  const [, status] = await run([first, second]);
  expect(status).toMatchObject({
    code: grpc.status.INTERNAL,
    details: 'the message was damaged in transit: its checksum is wrong',
  });
});
