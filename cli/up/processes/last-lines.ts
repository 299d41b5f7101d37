/** Keeps the last lines of a process's output, for the message when it dies. */

const LINES_MAX = 12;
const LINE_CHARS_MAX = 500;

export class LastLines {
  #lines: string[] = [];
  #rest = '';

  add(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LINE_CHARS_MAX * 4);
    this.#lines = [...this.#lines, ...lines.map(readable)].slice(-LINES_MAX);
  }

  get lines(): string[] {
    const lines = this.#rest === '' ? this.#lines : [...this.#lines, readable(this.#rest)];
    return lines.filter((line) => line !== '').slice(-LINES_MAX);
  }
}

/** Extracts the message of a JSON log line; other lines are unchanged. */
function readable(line: string): string {
  return (messageOf(line) ?? line).trimEnd().slice(0, LINE_CHARS_MAX);
}

function messageOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const parts = [msg, err?.message].filter((part) => typeof part === 'string');
    return parts.length === 0 ? undefined : [...new Set(parts)].join(': ');
  } catch {
    return undefined;
  }
}
