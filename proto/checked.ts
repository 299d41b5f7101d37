/**
 * A checksum over every message between orchestrator and workers. TCP's own is 16 bits and ends at every
 * proxy; a flipped bit in a result would be a wrong answer that nobody notices. It stands at the message's
 * end as a field that is in no `.proto` file (2000, fixed32), so that whoever does not know it skips it.
 */
import { crc32 } from 'node:zlib';
import type * as grpc from '@grpc/grpc-js';

/** Key of field 2000, wire type 5 (four bytes), as a varint. */
const KEY = Buffer.of(0x85, 0x7d);
const TRAILER_BYTES = KEY.length + 4;

export function sealed(message: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(message.length + TRAILER_BYTES);
  message.copy(whole);
  KEY.copy(whole, message.length);
  whole.writeUInt32LE(crc32(message), message.length + KEY.length);
  return whole;
}

/** The message without its checksum. @throws Error when it has none, or another */
export function opened(whole: Buffer): Buffer {
  const end = whole.length - TRAILER_BYTES;
  const intact =
    end >= 0 &&
    KEY.equals(whole.subarray(end, end + KEY.length)) &&
    crc32(whole.subarray(0, end)) === whole.readUInt32LE(end + KEY.length);
  if (!intact) throw new Error('message was damaged on its way: its checksum is wrong');
  return whole.subarray(0, end);
}

/** The same service, with a checksum that both sides require. */
export function checkedService(service: grpc.ServiceDefinition): grpc.ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      {
        ...method,
        requestSerialize: (value: unknown) => sealed(method.requestSerialize(value)),
        requestDeserialize: (bytes: Buffer) => method.requestDeserialize(opened(bytes)),
        responseSerialize: (value: unknown) => sealed(method.responseSerialize(value)),
        responseDeserialize: (bytes: Buffer) => method.responseDeserialize(opened(bytes)),
      },
    ]),
  );
}
