/**
 * Passes a JSON trace on, and follows its brackets. TraceProcessor reads one JSON document and ignores what follows it,
 * and it accepts an array of events that does not end.
 */
import { BigtraceError } from '../../../common/errors.ts';
import type { Findings } from '../findings.ts';
import type { Sink } from '../stage.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BEGIN = { ARRAY: 0x5b, OBJECT: 0x7b } as const;
const END = { ARRAY: 0x5d, OBJECT: 0x7d } as const;
/** What another document begins with, or separates it from the one before. */
const NEXT_DOCUMENT: ReadonlySet<number> = new Set([BEGIN.ARRAY, BEGIN.OBJECT, 0x2c]);
/** White space, and zeros, which end a file whose space was allocated in advance. */
const BLANK: ReadonlySet<number> = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20]);

export class JsonDocument implements Sink {
  readonly #next: Sink;
  readonly #findings: Findings;
  #depth = 0;
  #inString = false;
  /** Whether the previous byte was a backslash within a string. */
  #escaped = false;
  #ended = false;
  #hasMore = false;

  constructor(next: Sink, findings: Findings) {
    this.#next = next;
    this.#findings = findings;
  }

  /** @throws BigtraceError trace_invalid: a second document follows the first */
  push(bytes: Uint8Array): void {
    const at = this.#ended ? 0 : this.#follow(bytes);
    if (this.#ended && !this.#hasMore) this.#checkRest(bytes, at);
    this.#next.push(bytes);
  }

  end(): void {
    if (!this.#ended && this.#depth > 0)
      this.#findings.incomplete('the JSON document does not end, as if the file were cut short');
    this.#next.end();
  }

  /** Follows the document. @returns the offset after its end, or after `bytes` */
  #follow(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          break;
        case BEGIN.ARRAY:
        case BEGIN.OBJECT:
          this.#depth++;
          break;
        case END.ARRAY:
        case END.OBJECT:
          if (--this.#depth > 0) break;
          this.#ended = true;
          return at + 1;
      }
    }
    return bytes.length;
  }

  #checkRest(bytes: Uint8Array, from: number): void {
    let at = from;
    while (at < bytes.length && BLANK.has(bytes[at] ?? 0)) at++;
    const first = bytes[at];
    if (first === undefined) return;
    this.#hasMore = true;
    if (NEXT_DOCUMENT.has(first))
      throw new BigtraceError(
        'trace_invalid',
        'the file has several JSON documents, of which TraceProcessor reads only the first; store each as a file, or all events in one array',
      );
    this.#findings.incomplete('text follows the JSON document, which the engine ignores');
  }
}
