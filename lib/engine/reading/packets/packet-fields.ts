/**
 * Finds the fields of a TracePacket that an engine knows. TraceProcessor's data contains the descriptor of its trace
 * format, so the list is exact for every build of TraceProcessor.
 */

/** TraceProcessor ignores fields with a higher number. */
const FIELD_MAX = 999;

/** One byte per field number: 1 if the field is known. */
export type PacketFields = Uint8Array;

/** A DescriptorProto begins with its name: field 1, 11 characters. */
const DESCRIPTOR_START = Buffer.from('\x0a\x0bTracePacket', 'latin1');
const DESCRIPTOR_FIELD = 0x12;
const RESERVED_RANGE = 0x4a;
/** Tags of the other parts of a DescriptorProto: nested types, enums, extensions, options, names. */
const OTHER_PARTS = new Set([0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42, 0x52]);
const NUMBER = 0x18;
const TIMESTAMP = 8;

/** Returns the known fields; undefined if the wasm file has no descriptor of TracePacket. */
export function packetFields(wasm: Uint8Array): PacketFields | undefined {
  const bytes = Buffer.from(wasm.buffer, wasm.byteOffset, wasm.byteLength);
  for (let at = bytes.indexOf(DESCRIPTOR_START); at >= 0; ) {
    const fields = descriptorFields(bytes, at + DESCRIPTOR_START.length);
    if (fields[TIMESTAMP] === 1) return fields;
    at = bytes.indexOf(DESCRIPTOR_START, at + 1);
  }
  return undefined;
}

/** Reads the fields of a descriptor whose parts begin at `at`. It ends at the first byte that begins no part. */
function descriptorFields(bytes: Buffer, at: number): PacketFields {
  const fields = new Uint8Array(FIELD_MAX + 1);
  for (let from = at; from < bytes.length; ) {
    const tag = bytes[from] ?? 0;
    const { value: length, next } = varintAt(bytes, from + 1);
    const part = bytes.subarray(next, next + length);
    if (tag === DESCRIPTOR_FIELD) mark(fields, numberIn(part, NUMBER));
    else if (tag === RESERVED_RANGE) markRange(fields, part);
    else if (!OTHER_PARTS.has(tag)) break;
    from = next + length;
  }
  return fields;
}

function mark(fields: PacketFields, number: number | undefined): void {
  if (number !== undefined && number <= FIELD_MAX) fields[number] = 1;
}

/** Marks a reserved range (`end` excluded) as known: retired fields are not new. */
function markRange(fields: PacketFields, range: Buffer): void {
  const [start, end] = [numberIn(range, 0x08), numberIn(range, 0x10)];
  for (let number = start ?? 0; number < Math.min(end ?? 0, FIELD_MAX + 1); number++)
    mark(fields, number);
}

/** Returns the value of the varint field with the tag `fieldTag`, in a message whose tags have one byte. */
function numberIn(message: Buffer, fieldTag: number): number | undefined {
  for (let at = 0; at < message.length; ) {
    const tag = message[at] ?? 0;
    const { value, next } = varintAt(message, at + 1);
    if (tag === fieldTag) return value;
    at = (tag & 7) === 2 ? next + value : next;
  }
  return undefined;
}

function varintAt(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let next = at; next < bytes.length; ) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next };
    scale *= 128;
  }
  return { value, next: bytes.length };
}
