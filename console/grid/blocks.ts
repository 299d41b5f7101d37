/** Rows of a list, loaded in blocks as they are needed. */
import type { WireRow } from '../../http-api/contract/page.ts';

export const BLOCK_ROWS = 200;
/** Blocks that are kept; the oldest go first. */
const BLOCKS_MAX = 50;

export class Blocks {
  readonly #load: (offset: number) => Promise<WireRow[]>;
  readonly #blocks = new Map<number, WireRow[]>();
  readonly #loading = new Map<number, Promise<void>>();
  #generation = 0;

  /** @param load returns the BLOCK_ROWS rows from an offset, fewer at the end */
  constructor(load: (offset: number) => Promise<WireRow[]>) {
    this.#load = load;
  }

  /** Forgets all rows, also those that are being loaded. */
  clear(): void {
    this.#generation += 1;
    this.#blocks.clear();
    this.#loading.clear();
  }

  /** The row; undefined if it is not loaded. */
  row(at: number): WireRow | undefined {
    return this.#blocks.get(Math.floor(at / BLOCK_ROWS))?.[at % BLOCK_ROWS];
  }

  /** Loads what is missing of the rows from `first` to before `end`. Resolves to whether anything was missing. */
  async need(first: number, end: number): Promise<boolean> {
    const missing: Promise<void>[] = [];
    for (let block = Math.floor(first / BLOCK_ROWS); block * BLOCK_ROWS < end; block++) {
      if (this.#blocks.has(block)) continue;
      const loading = this.#loading.get(block) ?? this.#begin(block);
      this.#loading.set(block, loading);
      missing.push(loading);
    }
    await Promise.all(missing);
    return missing.length > 0;
  }

  async #begin(block: number): Promise<void> {
    const generation = this.#generation;
    try {
      const rows = await this.#load(block * BLOCK_ROWS);
      if (generation !== this.#generation) return;
      this.#blocks.set(block, rows);
      const [oldest] = this.#blocks.keys();
      if (this.#blocks.size > BLOCKS_MAX && oldest !== undefined) this.#blocks.delete(oldest);
    } finally {
      if (generation === this.#generation) this.#loading.delete(block);
    }
  }
}
