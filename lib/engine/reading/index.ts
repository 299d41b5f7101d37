/** Reads the bytes of a trace and converts them to what an engine can load. */

export { zstdModule } from './compression/zstd.ts';
export { type PacketFields, packetFields } from './packets/packet-fields.ts';
export { FIRST_READING, ReadAgain, type ReadingMode } from './read-again.ts';
export { READING_VERSION, type ReadingOptions, TraceReading } from './trace-reading.ts';
export { warningsSql } from './warnings.ts';
