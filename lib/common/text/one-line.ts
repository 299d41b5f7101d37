/** Error messages on one line: ClickHouse passes the first line of an error only. */
import { printable } from './byte-text.ts';

const TRACEBACK = 'Traceback (most recent call last):\n';
const CARET = /\n *\^+\n/g;

/**
 * Joins the lines of a message, because TraceProcessor's messages have several. Its reason precedes the place of the error,
 * because clients show the beginning.
 */
export function onOneLine(message: string): string {
  return printable(joined(reasonFirst(message)));
}

/** Moves what TraceProcessor writes after the last caret in front of its traceback. */
function reasonFirst(message: string): string {
  const start = message.indexOf(TRACEBACK);
  const caret = [...message.matchAll(CARET)].at(-1);
  if (start < 0 || caret === undefined || caret.index < start) return message;
  const reason = message.slice(caret.index + caret[0].length);
  const place = message.slice(start + TRACEBACK.length, caret.index);
  return `${message.slice(0, start)}${reason}; at ${place.trim()}`;
}

function joined(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^\^+$/.test(line)).join(' ');
}
