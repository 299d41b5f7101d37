/** Errors as the one line that ClickHouse passes on. */

import type { BigtraceError } from '../lib/common/errors.ts';
import { bytesFromText, printable } from '../lib/common/text/byte-text.ts';

/** A write of up to PIPE_BUF (4096) bytes comes out of a pipe in one piece. */
const LINE_BYTES_MAX = 3500;

/**
 * `[trace]: message (code)`. TraceProcessor's own messages have several lines: they are joined. It has no
 * newline, for ClickHouse goes on behind it.
 */
export function errorLine({ message, code }: BigtraceError): Buffer {
  const lines = message.split('\n').map((line) => line.trim());
  const text = printable(lines.filter((line) => line !== '' && !/^\^+$/.test(line)).join(' '));
  const bytes = bytesFromText(text);
  const cut =
    bytes.length <= LINE_BYTES_MAX
      ? bytes
      : Buffer.concat([bytes.subarray(0, LINE_BYTES_MAX), Buffer.from(' …')]);
  return Buffer.concat([cut, Buffer.from(` (${code})`)]);
}
