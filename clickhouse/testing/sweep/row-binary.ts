/** Parses RowBinaryWithNamesAndTypes, the ClickHouse format that is affected by the fewest settings. */

export interface SweepResult {
  /** `name type` of each column. */
  columns: string[];
  /** The bytes of each row as latin1, sorted. */
  rows: string[];
}

const FIXED_BYTES: Readonly<Record<string, number>> = {
  ...{ UInt8: 1, Bool: 1, Int8: 1, UInt16: 2, UInt32: 4, Int32: 4, Float32: 4, DateTime: 4 },
  ...{ UInt64: 8, Int64: 8, Float64: 8, DateTime64: 8, UUID: 16 },
};

/**
 * Parses a result. Rows are sorted, because rows of several traces arrive in any order.
 * @throws Error if the bytes are invalid
 */
export function resultIn(bytes: Buffer): SweepResult {
  const reader = new Reader(bytes);
  const count = reader.length();
  const names = Array.from({ length: count }, () => reader.text());
  const types = Array.from({ length: count }, () => reader.text());
  const rows: string[] = [];
  while (reader.at < bytes.length) {
    const from = reader.at;
    for (const type of types) reader.skip(type);
    rows.push(bytes.toString('latin1', from, reader.at));
  }
  return { columns: names.map((name, at) => `${name} ${types[at]}`), rows: rows.sort() };
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  length(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new Error('the result is cut short');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    return this.#take(this.length()).toString();
  }

  skip(type: string): void {
    const [, outer = type, inner = ''] = /^(\w+)\((.*)\)$/s.exec(type) ?? [];
    if (outer === 'Nullable') {
      if (this.#take(1)[0] === 0) this.skip(inner);
    } else if (outer === 'LowCardinality') this.skip(inner);
    else if (outer === 'Array') this.#skipEach(this.length(), [inner]);
    else if (outer === 'Map') this.#skipEach(this.length(), partsOf(inner));
    else if (outer === 'Tuple') this.#skipEach(1, partsOf(inner).map(withoutName));
    else if (outer === 'String') this.text();
    else if (FIXED_BYTES[outer] !== undefined) this.#take(FIXED_BYTES[outer]);
    else throw new Error(`a column is ${type}`);
  }

  #skipEach(count: number, types: readonly string[]): void {
    for (let remaining = count; remaining > 0; remaining--)
      for (const type of types) this.skip(type);
  }

  #take(count: number): Buffer {
    this.at += count;
    if (this.at > this.#bytes.length) throw new Error('the result is cut short');
    return this.#bytes.subarray(this.at - count, this.at);
  }
}

/** Splits a list of types at its top-level commas. */
function partsOf(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of list) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

/** Removes the name from `name Type`, a member of a named tuple. */
function withoutName(part: string): string {
  return part.replace(/^\w+ (?=\w)/, '');
}
