/**
 * Adds a CRC-32 checksum to every message between orchestrator and workers. TCP's checksum has 16 bits and ends
 * at every proxy, so a flipped bit in a result could become a wrong value that nobody notices. The checksum is the
 * last field of a message (number 2000, fixed32). It is in no `.proto` file; a reader that does not know it skips it.
 */
import { crc32 } from 'node:zlib';
import type { MessageTypeDefinition, ServiceDefinition } from '@grpc/proto-loader';
import type protobuf from 'protobufjs';

/** Key of field 2000, wire type 5 (four bytes). */
const KEY = 2000 * 8 + 5;
const KEY_BYTES = Buffer.of((KEY & 0x7f) | 0x80, KEY >> 7);
const TRAILER_BYTES = KEY_BYTES.length + 4;

/** Returns the written message with its checksum appended. Results are large, so the message is not copied. */
export function sealed(message: protobuf.Writer): Buffer {
  const whole = message.uint32(KEY).fixed32(0).finish() as Buffer;
  const end = whole.length - TRAILER_BYTES;
  whole.writeUInt32LE(crc32(whole.subarray(0, end)), end + KEY_BYTES.length);
  return whole;
}

/** Returns a message without its checksum, as a view. @throws Error when the checksum is missing or wrong */
export function opened(whole: Buffer): Buffer {
  const end = whole.length - TRAILER_BYTES;
  const intact =
    end >= 0 &&
    KEY_BYTES.equals(whole.subarray(end, end + KEY_BYTES.length)) &&
    crc32(whole.subarray(0, end)) === whole.readUInt32LE(end + KEY_BYTES.length);
  if (!intact) throw new Error('message was damaged on its way: its checksum is wrong');
  return whole.subarray(0, end);
}

/**
 * Returns the service with a checksum on every message, which both sides require.
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
        requestDeserialize: (bytes: Buffer) => method.requestDeserialize(opened(bytes)),
        responseSerialize: sealing(() => typeOf(nameOf(method.responseType))),
        responseDeserialize: (bytes: Buffer) => method.responseDeserialize(opened(bytes)),
      },
    ]),
  );
}

function nameOf({ type }: MessageTypeDefinition<object, object>): string {
  return (type as { name: string }).name; // `type` is the message's descriptor
}

function sealing(find: () => protobuf.Type): (value: object) => Buffer {
  let type: protobuf.Type | undefined; // looked up on first use: most processes write few of the types
  return (value) => {
    type ??= find();
    return sealed(type.encode(type.fromObject(value)));
  };
}
