/**
 * Passes a text on, and looks at its end: lines end with a line feed, an HTML page with `</html>`. TraceProcessor reads
 * a text that is cut short without an error.
 */
import type { Findings } from '../findings.ts';
import type { Sink } from '../stage.ts';

const TAIL_BYTES = 256;
const LINE_FEED = 0x0a;

export class TextEnd implements Sink {
  readonly #next: Sink;
  readonly #findings: Findings;
  readonly #format: 'html' | 'lines';
  #tail: Buffer = Buffer.alloc(0);

  constructor(next: Sink, findings: Findings, format: 'html' | 'lines') {
    this.#next = next;
    this.#findings = findings;
    this.#format = format;
  }

  push(bytes: Uint8Array): void {
    const last = bytes.subarray(-TAIL_BYTES);
    this.#tail = Buffer.concat([this.#tail, last]).subarray(-TAIL_BYTES);
    this.#next.push(bytes);
  }

  end(): void {
    if (this.#format === 'lines' && this.#tail.at(-1) !== LINE_FEED)
      this.#findings.incomplete('the last line has no line feed, as if the file were cut short');
    const isPage = /<\/html>/i.test(this.#tail.toString('latin1'));
    if (this.#format === 'html' && !isPage)
      this.#findings.incomplete('the HTML page does not end, as if the file were cut short');
    this.#next.end();
  }
}
