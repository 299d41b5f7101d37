/** Converts text in UTF-16, or with a byte order mark, to UTF-8 without one, which the engine reads. */
import type { Sink } from './stage.ts';

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be';

const MARKS: readonly (readonly [TextEncoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Returns the encoding that a byte order mark indicates; undefined without one. */
export function markedEncoding(head: Uint8Array): TextEncoding | undefined {
  return MARKS.find(([, mark]) => mark.every((byte, at) => head[at] === byte))?.[0];
}

/** Returns the beginning of a text in UTF-8. */
export function decodedStart(encoding: TextEncoding, head: Uint8Array): Uint8Array {
  return Buffer.from(new TextDecoder(encoding).decode(head, { stream: true }));
}

export class Reencoding implements Sink {
  readonly #next: Sink;
  /** Removes the byte order mark and replaces invalid sequences by U+FFFD. */
  readonly #decoder: InstanceType<typeof TextDecoder>;

  constructor(encoding: TextEncoding, next: Sink) {
    this.#next = next;
    this.#decoder = new TextDecoder(encoding);
  }

  push(bytes: Uint8Array): void {
    this.#next.push(Buffer.from(this.#decoder.decode(bytes, { stream: true })));
  }

  end(): void {
    this.#next.push(Buffer.from(this.#decoder.decode()));
    this.#next.end();
  }
}
