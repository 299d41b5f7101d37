/** What reading a trace has found that its rows do not show. Bounded, whatever the trace holds. */

/** Different warnings of one trace; those beyond are counted together. */
const WARNINGS_MAX = 64;
const WARNING_CHARS_MAX = 200;
const MORE = 'further warnings';

export class Findings {
  /** Packets of packets, compressed with zstd, that were decompressed. */
  zstdPackets = 0;
  /** Bytes that decompressing gave. */
  unpackedBytes = 0;
  readonly #unknownFields = new Map<number, number>();
  readonly #warnings = new Map<string, number>();

  /** A packet has a field that the engine does not know. */
  unknownField(number: number): void {
    const { size } = this.#unknownFields;
    const before = this.#unknownFields.get(number);
    if (before === undefined && size >= WARNINGS_MAX) this.warn(MORE);
    else this.#unknownFields.set(number, (before ?? 0) + 1);
  }

  warn(text: string): void {
    const cut = text.slice(0, WARNING_CHARS_MAX);
    const known = this.#warnings.has(cut) || this.#warnings.size < WARNINGS_MAX;
    const name = known ? cut : MORE;
    this.#warnings.set(name, (this.#warnings.get(name) ?? 0) + 1);
  }

  /** Each with how often it was seen. */
  warnings(): Map<string, number> {
    const fields = [...this.#unknownFields]
      .toSorted(([a], [b]) => a - b)
      .map(([number, count]) => [`unknown packet field ${number}`, count] as const);
    return new Map([...fields, ...this.#warnings]);
  }
}
