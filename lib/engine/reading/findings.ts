/** Warnings and counts from reading a trace, which its rows do not show. Their size is bounded for any trace. */
import { INCOMPLETE } from '../../common/text/incomplete.ts';

/** Bound of different unknown fields, and of other warnings, of one trace; further ones are counted together. */
const WARNINGS_MAX = 64;
const WARNING_CHARS_MAX = 200;
const MORE = 'further warnings';

export class Findings {
  /** Number of zstd-compressed packets that were decompressed. */
  zstdPackets = 0;
  /** Number of bytes after decompression. */
  unpackedBytes = 0;
  readonly #unknownFields = new Map<number, number>();
  readonly #warnings = new Map<string, number>();
  /** The member of an archive that is being read, as warnings name it. */
  #member: string | undefined;

  /** Counts a packet field that the engine does not know. */
  unknownField(number: number): void {
    const { size } = this.#unknownFields;
    const before = this.#unknownFields.get(number);
    if (before === undefined && size >= WARNINGS_MAX) this.warn(MORE);
    else this.#unknownFields.set(number, (before ?? 0) + 1);
  }

  warn(text: string): void {
    const cut = text.slice(0, WARNING_CHARS_MAX);
    const isListed = this.#warnings.has(cut) || this.#warnings.size < WARNINGS_MAX;
    const more = text.startsWith(INCOMPLETE) ? `${INCOMPLETE}${MORE}` : MORE;
    const name = isListed ? cut : more;
    this.#warnings.set(name, (this.#warnings.get(name) ?? 0) + 1);
  }

  /** Warns that data of the trace is missing. */
  incomplete(text: string): void {
    const where = this.#member === undefined ? '' : `member ${this.#member} of the archive: `;
    this.warn(`${INCOMPLETE}${where}${text}`);
  }

  /** Runs a step of reading a member of an archive. */
  within<T>(member: string, step: () => T): T {
    const outer = this.#member;
    this.#member = member;
    try {
      return step();
    } finally {
      this.#member = outer;
    }
  }

  /** Returns each warning with its number of occurrences. */
  warnings(): Map<string, number> {
    const fields = [...this.#unknownFields]
      .toSorted(([a], [b]) => a - b)
      .map(([number, count]) => [`unknown packet field ${number}`, count] as const);
    return new Map([...fields, ...this.#warnings]);
  }
}
