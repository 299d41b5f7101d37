/**
 * The blocks that ClickHouse reads over HTTP. Its table function url() fills a buffer before it reads a block, and
 * notices a cancelled query only between blocks. So a heartbeat is as long as that buffer.
 */
import { blockOf, paddedHeartbeat } from '../native/rows.ts';

/** The setting max_read_buffer_size of the views (clickhouse/views/url-source.mjs). A test compares the two. */
export const READ_BUFFER_BYTES = 16 * 1024;

export const URL_BEATS = { short: paddedHeartbeat(0), long: paddedHeartbeat(READ_BUFFER_BYTES) };

/**
 * A block whose column has an impossible type. ClickHouse ends the query with an error that quotes the name in it, which
 * is the only way to send a text after the first rows: the status of the response has been sent then.
 */
export function errorBlock(line: Buffer): Buffer {
  const name = line.toString('latin1').replace(/[\\']/g, '\\$&');
  return blockOf('error', Buffer.from(`Enum8('${name}' = 300)`, 'latin1'), Buffer.of(0));
}
