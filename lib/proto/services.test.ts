import { readFileSync } from 'node:fs';
import * as protoLoader from '@grpc/proto-loader';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { LOADER_OPTIONS } from './loader-options.mjs';
import { serviceNamed } from './services.ts';

const FILES = ['bigtrace', 'externalscaler', 'health', 'perfetto'].map(
  (name) => `${import.meta.dirname}/${name}.proto`,
);
/** What proto-loader makes of the files. */
const loaded = protoLoader.loadSync(FILES, LOADER_OPTIONS);
const parsed = new protobuf.Root();
for (const file of FILES) protobuf.parse(readFileSync(file, 'utf8'), parsed);
parsed.resolveAll();

type Services = [name: string, protoLoader.ServiceDefinition][];
const services = Object.entries(loaded).filter(
  ([, definition]) => !('format' in definition),
) as Services;

test('there are services', () => {
  expect(services.map(([name]) => name).sort()).toEqual([
    'bigtrace.v1.Orchestrator',
    'bigtrace.v1.Worker',
    'externalscaler.ExternalScaler',
    'grpc.health.v1.Health',
    'perfetto.protos.BigtraceOrchestrator',
    'perfetto.protos.BigtraceWorker',
  ]);
});

test.each(services)('the methods of %s are those of proto-loader', (name, expected) => {
  const facts = (service: protoLoader.ServiceDefinition): object =>
    Object.entries(service).map(([key, method]) => ({
      key,
      path: method.path,
      originalName: method.originalName,
      streams: [method.requestStream, method.responseStream],
      types: [method.requestType, method.responseType].map(
        ({ type }) => (type as { name: string }).name,
      ),
    }));
  expect(facts(serviceNamed(name))).toEqual(facts(expected));
});

/** Values of a field, and also no value. */
function fieldValues(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const { resolvedType } = field.resolve();
  const one =
    resolvedType instanceof protobuf.Enum
      ? fc.constantFrom(...Object.keys(resolvedType.values))
      : resolvedType instanceof protobuf.Type
        ? messages(resolvedType, depth - 1)
        : scalar(field.type);
  if (field instanceof protobuf.MapField) return fc.dictionary(fc.string(), one, { maxKeys: 2 });
  return field.repeated ? fc.array(one, { maxLength: 2 }) : one;
}

function scalar(type: string): fc.Arbitrary<unknown> {
  if (type === 'string') return fc.string({ unit: 'grapheme' });
  if (type === 'bytes') return fc.uint8Array().map((bytes) => Buffer.from(bytes));
  if (type === 'bool') return fc.boolean();
  if (type === 'double') return fc.double();
  if (type === 'uint64' || type === 'fixed64') return fc.maxSafeNat();
  if (type === 'int64') return fc.maxSafeInteger();
  if (type === 'uint32' || type === 'fixed32') return fc.nat();
  return fc.integer();
}

function messages(type: protobuf.Type, depth: number): fc.Arbitrary<object> {
  const fields = type.fieldsArray.filter(
    (field) => depth > 0 || !(field.resolve().resolvedType instanceof protobuf.Type),
  );
  return fc.record(
    Object.fromEntries(fields.map((field) => [field.name, fieldValues(field, depth)])),
    { requiredKeys: [] },
  );
}

test.each(services.filter(([name]) => name !== 'bigtrace.v1.Worker'))(
  'messages of %s are written and read as proto-loader does',
  (name, expected) => {
    const own = serviceNamed(name);
    for (const [key, method] of Object.entries(expected)) {
      const ours = own[key];
      const [request, response] = [method.requestType, method.responseType].map(({ type }) => {
        const path = `${name.slice(0, name.lastIndexOf('.'))}.${(type as { name: string }).name}`;
        return messages(parsed.lookupType(path), 3);
      });
      if (request === undefined || response === undefined) throw new Error(`no types: ${key}`);
      fc.assert(
        fc.property(request, response, (asked, answered) => {
          const [question, answer] = [
            method.requestSerialize(asked),
            method.responseSerialize(answered),
          ];
          expect(ours?.requestSerialize(asked)).toEqual(question);
          expect(ours?.responseSerialize(answered)).toEqual(answer);
          expect(ours?.requestDeserialize(question)).toEqual(method.requestDeserialize(question));
          expect(ours?.responseDeserialize(answer)).toEqual(method.responseDeserialize(answer));
        }),
        { numRuns: 15 },
      );
    }
  },
);
