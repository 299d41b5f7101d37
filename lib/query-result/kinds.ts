/** Which kinds of cells each column holds: what column types are chosen from. */
import { addKinds } from './cell-kinds.ts';
import { ResultStream } from './stream.ts';

export interface ColumnKinds {
  /** As the engine gives it: it may be empty, or the same as another's. */
  name: string;
  /** Set of bits `1 << CellType` of the cells seen. */
  kinds: number;
}

/** Collects the kinds of the results of one trace, given in order. */
export class KindsCollector {
  readonly stream = new ResultStream();
  #kinds: Uint8Array = new Uint8Array(0);

  add(bytes: Uint8Array): void {
    const first = this.stream.columnNames === undefined;
    let column = first ? 0 : this.stream.cells % Math.max(this.#kinds.length, 1);
    const { buffer, batches } = this.stream.next(bytes);
    if (first) this.#kinds = new Uint8Array(this.stream.columnNames?.length ?? 0);
    for (const { cellsFrom, cellsTo } of batches)
      column = addKinds(this.#kinds, buffer.subarray(cellsFrom, cellsTo), column);
  }

  columns(): ColumnKinds[] {
    const names = this.stream.columnNames ?? [];
    return names.map((name, index) => ({ name, kinds: this.#kinds[index] ?? 0 }));
  }
}

/** The kinds of all results of one trace. @throws sql_failed, internal as ResultStream. */
export function kindsOf(results: Iterable<Uint8Array>): ColumnKinds[] {
  const collector = new KindsCollector();
  for (const bytes of results) collector.add(bytes);
  return collector.columns();
}
