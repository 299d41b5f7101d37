/** Finds the place that an error of TraceProcessor names in the script. */

export interface ErrorPlace {
  from: number;
  to: number;
  message: string;
}

/** TraceProcessor names the file `stdin` for the script, others for modules; the HTTP API `session` for definitions. */
const PLACE = /File "stdin" line (\d+) col (\d+)/g;

/**
 * Returns the range to mark: the word at the last place that the error names in the script. Returns undefined if it
 * names none.
 */
export function errorPlace(script: string, error: string): ErrorPlace | undefined {
  const [, line, column] = [...error.matchAll(PLACE)].at(-1) ?? [];
  if (line === undefined || column === undefined) return undefined;
  const lines = script.split('\n');
  const at = Number(line) - 1;
  const text = lines[at];
  if (text === undefined) return undefined;
  const start = lines.slice(0, at).reduce((sum, { length }) => sum + length + 1, 0);
  const from = start + Math.min(Number(column) - 1, text.length);
  const word = /^\w+/.exec(script.slice(from))?.[0].length ?? 1;
  const to = Math.max(Math.min(from + word, start + text.length), from);
  return { from, to, message: reasonOf(error) };
}

/** The last line that is no position and no caret. */
function reasonOf(error: string): string {
  const lines = error.split('\n').filter((line) => /[^\s^]/.test(line));
  return lines.at(-1)?.trim() ?? error;
}
