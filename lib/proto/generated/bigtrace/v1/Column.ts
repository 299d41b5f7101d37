// Original file: bigtrace.proto


export interface ColumnInput {
  /**
   * as TraceProcessor gives it: it may be empty, or the same as another's
   */
  'name'?: (Buffer | Uint8Array | string);
  /**
   * set of bits 1 << CellType of every cell seen (lib/query-result/cell-type.ts)
   */
  'cellKinds'?: (number);
  /**
   * Such a set of the cells that the script may give on any trace, as far as the worker can tell; 0: it cannot, or
   * was not asked, for cell_kinds has more than NULL.
   */
  'possibleKinds'?: (number);
  /**
   * from the orchestrator: what Learn has told of the column
   */
  'learnedKinds'?: (number);
}

export interface Column {
  /**
   * as TraceProcessor gives it: it may be empty, or the same as another's
   */
  'name': (Buffer);
  /**
   * set of bits 1 << CellType of every cell seen (lib/query-result/cell-type.ts)
   */
  'cellKinds': (number);
  /**
   * Such a set of the cells that the script may give on any trace, as far as the worker can tell; 0: it cannot, or
   * was not asked, for cell_kinds has more than NULL.
   */
  'possibleKinds': (number);
  /**
   * from the orchestrator: what Learn has told of the column
   */
  'learnedKinds': (number);
}
