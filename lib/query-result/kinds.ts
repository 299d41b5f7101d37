/** Finds the kinds of cells in each column; column types are chosen from them. */
import { addKinds } from './cell-kinds.ts';
import { ResultStream } from './stream.ts';

export interface ColumnKinds {
  /** As the engine returns it: it may be empty, and two columns may have the same name. */
  name: string;
  /** Set of bits `1 << CellType` of the cells seen. */
  kinds: number;
}

/** Collects the kinds of cells over the results of one trace, which must be added in order. */
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

/** Returns the kinds of cells over all results of one trace. @throws BigtraceError as `ResultStream.next` */
export function kindsOf(results: Iterable<Uint8Array>): ColumnKinds[] {
  const collector = new KindsCollector();
  for (const bytes of results) collector.add(bytes);
  return collector.columns();
}
