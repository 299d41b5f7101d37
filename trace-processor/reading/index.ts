/** Reading the bytes of a trace on their way into an engine. */
export { type PacketFields, packetFields } from './packet-fields.ts';
export { FIRST_READING, ReadAgain, type ReadingMode } from './read-again.ts';
export { READING_VERSION, type ReadingOptions, TraceReading } from './trace-reading.ts';
export { warningsSql } from './warnings.ts';
export { zstdModule } from './zstd.ts';
