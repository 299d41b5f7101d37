/** Formats an error as the one line that ClickHouse passes to the client. */

import type { BigtraceError } from '../lib/common/errors.ts';
import { bytesFromText, printable } from '../lib/common/text/byte-text.ts';

/** Bound of a line without its code. A pipe keeps a write of up to PIPE_BUF (4096) bytes in one piece. */
const LINE_BYTES_MAX = 3500;

/**
 * Returns `[trace]: message (code)`. The lines of a message are joined, because TraceProcessor's messages have several;
 * its reason precedes the place of the error, because clients show the beginning.
 * There is no newline at the end, because ClickHouse appends its own text.
 */
export function errorLine({ message, code }: BigtraceError): Buffer {
  const text = printable(oneLine(reasonFirst(message)));
  const bytes = bytesFromText(text);
  const cut =
    bytes.length <= LINE_BYTES_MAX
      ? bytes
      : Buffer.concat([bytes.subarray(0, LINE_BYTES_MAX), Buffer.from(' …')]);
  return Buffer.concat([cut, Buffer.from(` (${code})`)]);
}

const TRACEBACK = 'Traceback (most recent call last):\n';
const CARET = /\n *\^+\n/g;

/** Moves what TraceProcessor writes after the last caret in front of its traceback. */
function reasonFirst(message: string): string {
  const start = message.indexOf(TRACEBACK);
  const caret = [...message.matchAll(CARET)].at(-1);
  if (start < 0 || caret === undefined || caret.index < start) return message;
  const reason = message.slice(caret.index + caret[0].length);
  const place = message.slice(start + TRACEBACK.length, caret.index);
  return `${message.slice(0, start)}${reason}; at ${place.trim()}`;
}

function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^\^+$/.test(line)).join(' ');
}
