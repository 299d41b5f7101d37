/**
 * Finds the error that ClickHouse appends to a response that has begun. It stands between the lines `__exception__`,
 * with a random text that the header x-clickhouse-exception-tag announces. Without this, a reader of RowBinary would
 * take the error for rows.
 */
import { EXCEPTION_TAG_HEADER_NAME, type ResponseHeaders } from '@clickhouse/client';
import { serverError } from './server-error.ts';

/** Yields the chunks of a response without its error. @throws the error, after all bytes before it */
export async function* untilError(
  stream: AsyncIterable<Buffer>,
  headers: ResponseHeaders,
): AsyncGenerator<Buffer> {
  const tag = headers[EXCEPTION_TAG_HEADER_NAME];
  if (typeof tag !== 'string') {
    yield* stream;
    return;
  }
  const mark = Buffer.from(`\r\n__exception__\r\n${tag}\r\n`);
  let rest: Buffer = Buffer.alloc(0);
  let error: Buffer[] | undefined;
  for await (const chunk of stream) {
    if (error !== undefined) {
      error.push(chunk);
      continue;
    }
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const at = bytes.indexOf(mark);
    const end = at < 0 ? Math.max(0, bytes.length - mark.length + 1) : at;
    if (end > 0) yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
    if (at >= 0) error = [rest];
  }
  if (error !== undefined) throw lateError(Buffer.concat(error).subarray(mark.length), tag);
  if (rest.length > 0) yield rest;
}

/** `bytes`: the text of the error, its length and the tag, and `__exception__`. */
function lateError(bytes: Buffer, tag: string): Error {
  const text = bytes.toString('utf8');
  const end = text.lastIndexOf(` ${tag}`);
  return serverError((end < 0 ? text : text.slice(0, end)).replace(/\n\d*$/, ''));
}
