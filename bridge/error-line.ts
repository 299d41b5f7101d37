/** Formats an error as the one line that ClickHouse passes to the client. */

import type { BigtraceError } from '../lib/common/errors.ts';
import { bytesFromText } from '../lib/common/text/byte-text.ts';
import { onOneLine } from '../lib/common/text/one-line.ts';

/** Bound of a line without its code. A pipe keeps a write of up to PIPE_BUF (4096) bytes in one piece. */
const LINE_BYTES_MAX = 3500;

/** Returns `[trace]: message (code)`. There is no newline at the end, because ClickHouse appends its own text. */
export function errorLine({ message, code }: BigtraceError): Buffer {
  const bytes = bytesFromText(onOneLine(message));
  const cut =
    bytes.length <= LINE_BYTES_MAX
      ? bytes
      : Buffer.concat([bytes.subarray(0, LINE_BYTES_MAX), Buffer.from(' …')]);
  return Buffer.concat([cut, Buffer.from(` (${code})`)]);
}
