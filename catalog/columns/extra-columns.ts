/** Collects the columns of the extra SQL and the kinds of their values. */
import type { CellValue } from '../../lib/query-result/index.ts';
import { kindOfInteger, type ValueKind } from './column-type.ts';
import { checkColumnName } from './traces-view.ts';
import type { UserColumns } from './user-columns.ts';

export class ExtraColumns {
  readonly #columns: UserColumns;
  /** Kinds of the values so far, by column name. */
  readonly #kinds = new Map<string, Set<ValueKind>>();
  #changed = false;

  constructor(columns: UserColumns) {
    this.#columns = columns;
  }

  see(names: readonly string[], row: readonly CellValue[]): void {
    for (const [at, name] of names.entries()) {
      const value = row[at] ?? null;
      if (value === null) continue;
      const kinds = this.#kinds.get(checkColumnName(name)) ?? new Set();
      this.#kinds.set(name, kinds);
      const kind = kindOf(value);
      if (!kinds.has(kind)) this.#changed = true;
      kinds.add(kind);
    }
  }

  /** Adds new columns and kinds to the catalog. Call it before the values are written. */
  async write(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      await this.#columns.add(
        [...this.#kinds].map(([name, kinds]) => ({ name, source: 'extra', kinds })),
      );
    } catch (thrown) {
      this.#changed = true;
      throw thrown;
    }
  }
}

function kindOf(value: Exclude<CellValue, null>): ValueKind {
  if (typeof value === 'bigint') return kindOfInteger(value);
  return typeof value === 'number' ? 'double' : 'text';
}
