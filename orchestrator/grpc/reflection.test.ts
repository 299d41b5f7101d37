/** Tests with a client that knows nothing but gRPC reflection, as grpcurl. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import descriptor, { type IFileDescriptorProto } from 'protobufjs/ext/descriptor/index.js';
import { afterAll, expect, test } from 'vitest';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import { LOADER_OPTIONS } from '../../lib/proto/loader-options.mjs';
import { bytesField } from '../../lib/query-result/index.ts';
import { TestSystem } from '../testing/system.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-reflection-'));
afterAll(() => rmSync(directory, { recursive: true }));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'secret');

const package_ = createRequire(import.meta.url).resolve('@grpc/reflection');
const reflection = protoLoader.loadSync(
  join(package_, '../../proto/grpc/reflection/v1/reflection.proto'),
  LOADER_OPTIONS,
);

type ServiceClient = InstanceType<grpc.ServiceClientConstructor>;

function connect(
  definitions: protoLoader.PackageDefinition,
  name: string,
  address: string,
): ServiceClient {
  const Client = grpc.makeClientConstructor(definitions[name] as grpc.ServiceDefinition, name);
  return new Client(address, grpc.credentials.createInsecure());
}

/** Names of the entries of maps, as protoc gives them; the parser of grpcurl rejects others. */
const MAP_ENTRIES: Record<string, string[]> = {
  'bigtrace.v1.Orchestrator': ['CountersEntry', 'GaugesEntry', 'CountersEntry', 'GaugesEntry'],
  'perfetto.protos.BigtraceOrchestrator': [],
};

function mapEntries(file: Buffer): string[] {
  const { messageType } = descriptor.FileDescriptorProto.decode(file) as IFileDescriptorProto;
  return (messageType ?? []).flatMap(({ nestedType, field }) =>
    (nestedType ?? [])
      .filter(
        ({ options, name }) => options?.mapEntry && field?.some((one) => one.typeName === name),
      )
      .map(({ name }) => name ?? ''),
  );
}

interface Reflected {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
}

/** Returns the response of the reflection service. @throws the ServiceError of the call */
async function reflect(
  address: string,
  request: object,
  metadata = new grpc.Metadata(),
): Promise<Reflected> {
  const client = connect(reflection, 'grpc.reflection.v1.ServerReflection', address);
  try {
    const call: grpc.ClientDuplexStream<object, Reflected> =
      client['ServerReflectionInfo']?.(metadata);
    call.end(request);
    for await (const response of call) return response;
    throw new Error('no response');
  } finally {
    client.close();
  }
}

test('a client that learns the services by reflection runs queries', async () => {
  await using system = await new TestSystem([{}]).start();
  const address = system.orchestrator?.address ?? '';
  const { listServicesResponse } = await reflect(address, { listServices: '' });
  expect(listServicesResponse?.service.map(({ name }) => name).sort()).toEqual([
    'bigtrace.v1.Orchestrator',
    'perfetto.protos.BigtraceOrchestrator',
  ]);
  const results: unknown[] = [];
  for (const [name, send] of [
    [
      'bigtrace.v1.Orchestrator',
      (client: ServiceClient) => {
        const call = client['Query']?.();
        call.write({ start: { sql: Buffer.from('SELECT 1') } });
        call.end({ traces: { address: [Buffer.from('/local/a')] } });
        return call;
      },
    ],
    [
      'perfetto.protos.BigtraceOrchestrator',
      (client: ServiceClient) =>
        client['Query']?.({ traces: [Buffer.from('/local/a')], sqlQuery: Buffer.from('SELECT 1') }),
    ],
  ] as const) {
    const { fileDescriptorResponse } = await reflect(address, { fileContainingSymbol: name });
    const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
    const definitions = protoLoader.loadFileDescriptorSetFromBuffer(
      Buffer.concat(files.map((file) => bytesField(1, file))),
      LOADER_OPTIONS,
    );
    for (const file of files) expect(mapEntries(file)).toEqual(MAP_ENTRIES[name]);
    const client = connect(definitions, name, address);
    for await (const response of send(client)) results.push(response);
    client.close();
  }
  const [trace, result] = [Buffer.from('/local/a'), Buffer.from('rows of /local/a')];
  expect(results).toEqual([
    { event: [{ rows: { trace, result, last: true }, event: 'rows' }] },
    expect.objectContaining({ trace, result: [result] }),
  ]);
});

test('reflection needs the token of the service', async () => {
  const serverSecurity = { ...PLAINTEXT_SERVER, tokenFile };
  await using system = await new TestSystem([], { serverSecurity }).start();
  const address = system.orchestrator?.address ?? '';
  await expect(reflect(address, { listServices: '' })).rejects.toMatchObject({
    code: grpc.status.UNAUTHENTICATED,
  });
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'Bearer secret');
  const { listServicesResponse } = await reflect(address, { listServices: '' }, metadata);
  expect(listServicesResponse?.service).toHaveLength(2);
});
