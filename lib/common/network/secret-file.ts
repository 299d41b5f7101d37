/** A token in a file that may be replaced while the process runs, as Kubernetes does when its Secret changes. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { BigtraceError } from '../errors.ts';

export class SecretFile {
  readonly #path: string;
  #text: string;
  #stats: Stats;

  /** @throws invalid_option if the file cannot be read, or is empty */
  constructor(path: string) {
    this.#path = path;
    this.#stats = statsOf(path);
    this.#text = fileText(path);
  }

  /** The tokens of a file that may have several, one per line. Clients use the first, services accept each. */
  get lines(): string[] {
    return this.text.split(/\s*\n\s*/);
  }

  /** The first line of `text`. */
  get first(): string {
    return this.lines[0] ?? '';
  }

  /** Returns the text without surrounding blanks. While the file is missing or empty, the last text is returned. */
  get text(): string {
    try {
      const stats = statsOf(this.#path);
      const { ino, mtimeMs, size } = this.#stats;
      if (stats.ino !== ino || stats.mtimeMs !== mtimeMs || stats.size !== size) {
        this.#text = fileText(this.#path);
        this.#stats = stats;
      }
    } catch {
      // It is being replaced.
    }
    return this.#text;
  }
}

function statsOf(path: string): Stats {
  return orInvalid(() => statSync(path));
}

/** Reads a file. @throws invalid_option if it cannot be read */
export function file(path: string): Buffer {
  return orInvalid(() => readFileSync(path));
}

/** Reads a file as text, without surrounding blanks. @throws invalid_option if it cannot be read, or is empty */
function fileText(path: string): string {
  const text = file(path).toString().trim();
  if (text === '') throw new BigtraceError('invalid_option', `${path} is empty`);
  return text;
}

function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', text, { cause });
  }
}
