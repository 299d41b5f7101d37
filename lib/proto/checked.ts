/**
 * Adds a CRC-32 checksum to every message between orchestrator and workers. TCP's checksum has 16 bits and ends
 * at every proxy, so a flipped bit in a result could become a wrong value that nobody notices. The checksum is the
 * last field of a message (number 2000, fixed32). It is in no `.proto` file; a reader that does not know it skips it.
 *
 * A client asks for checksums by sending one in the first message of a call. It then gets one in every response, and the
 * server rejects a request without one. The clients of services.ts do so, and reject a response without a checksum. A
 * client generated from the `.proto` files, or grpcurl, sends none and gets none.
 */
import { crc32 } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition, ServiceDefinition } from '@grpc/proto-loader';
import type protobuf from 'protobufjs';

/** Key of field 2000, wire type 5 (four bytes). */
const KEY = 2000 * 8 + 5;
const KEY_BYTES = Buffer.of((KEY & 0x7f) | 0x80, KEY >> 7);
const TRAILER_BYTES = KEY_BYTES.length + 4;

const DAMAGED = 'the message was damaged in transit: its checksum is wrong';

/** Returns the written message with its checksum appended. Results are large, so the message is not copied. */
export function sealed(message: protobuf.Writer): Buffer {
  const whole = message.uint32(KEY).fixed32(0).finish() as Buffer;
  const end = whole.length - TRAILER_BYTES;
  whole.writeUInt32LE(crc32(whole.subarray(0, end)), end + KEY_BYTES.length);
  return whole;
}

/** Returns a message without its checksum, as a view; undefined if the checksum is missing or wrong. */
function intact(whole: Buffer): Buffer | undefined {
  const end = whole.length - TRAILER_BYTES;
  const isIntact =
    end >= 0 &&
    KEY_BYTES.equals(whole.subarray(end, end + KEY_BYTES.length)) &&
    crc32(whole.subarray(0, end)) === whole.readUInt32LE(end + KEY_BYTES.length);
  return isIntact ? whole.subarray(0, end) : undefined;
}

/** Returns a message without its checksum, as a view. @throws Error when the checksum is missing or wrong */
export function opened(whole: Buffer): Buffer {
  const message = intact(whole);
  if (message === undefined) throw new Error(DAMAGED);
  return message;
}

/** Messages of this process without a checksum: requests that came without one, and responses to be sent without one. */
const plain = new WeakSet<object>();

/**
 * Returns the service with a checksum on every message. A server needs the interceptor `plainForPlainClients` to serve
 * clients that send none.
 * @param typeOf finds a message type by its name
 */
export function checkedService(
  service: ServiceDefinition,
  typeOf: (name: string) => protobuf.Type,
): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      {
        ...method,
        requestSerialize: sealing(() => typeOf(nameOf(method.requestType))),
        requestDeserialize: (bytes: Buffer) => {
          const message = intact(bytes);
          if (message !== undefined) return method.requestDeserialize(message);
          const request = method.requestDeserialize(bytes);
          plain.add(request);
          return request;
        },
        responseSerialize: sealing(() => typeOf(nameOf(method.responseType))),
        responseDeserialize: (bytes: Buffer) => method.responseDeserialize(opened(bytes)),
      },
    ]),
  );
}

/** Serves each call with or without checksums, as its first request is. */
export const plainForPlainClients: grpc.ServerInterceptor = (_method, call) => {
  let isPlain: boolean | undefined;
  return new grpc.ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMessage: (request: object, goOn) => {
          isPlain ??= plain.has(request);
          if (isPlain || !plain.has(request)) goOn(request);
          else call.sendStatus({ code: grpc.status.INTERNAL, details: DAMAGED });
        },
      }),
    sendMessage: (response: object, next) => {
      if (isPlain) plain.add(response);
      next(response);
    },
  });
};

function nameOf({ type }: MessageTypeDefinition<object, object>): string {
  return (type as { name: string }).name; // `type` is the message's descriptor
}

function sealing(find: () => protobuf.Type): (value: object) => Buffer {
  let type: protobuf.Type | undefined; // looked up on first use: most processes write few of the types
  return (value) => {
    type ??= find();
    const message = type.encode(type.fromObject(value));
    return plain.has(value) ? (message.finish() as Buffer) : sealed(message);
  };
}
