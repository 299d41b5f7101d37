// Original file: bigtrace.proto


export interface ColumnInput {
  /**
   * as TraceProcessor returns it: it may be empty, and need not be unique
   */
  'name'?: (Buffer | Uint8Array | string);
  /**
   * bits 1 << CellType of all cells of the sampled traces (lib/query-result/cell-type.ts)
   */
  'cellKinds'?: (number);
  /**
   * The same bits for the cells that the script may return on any trace, inferred by the worker. 0: it could not
   * infer them, or they are not needed, because cell_kinds has more than NULL.
   */
  'possibleKinds'?: (number);
  /**
   * set by the orchestrator: kinds of the column that `Learn` reported
   */
  'learnedKinds'?: (number);
}

export interface Column {
  /**
   * as TraceProcessor returns it: it may be empty, and need not be unique
   */
  'name': (Buffer);
  /**
   * bits 1 << CellType of all cells of the sampled traces (lib/query-result/cell-type.ts)
   */
  'cellKinds': (number);
  /**
   * The same bits for the cells that the script may return on any trace, inferred by the worker. 0: it could not
   * infer them, or they are not needed, because cell_kinds has more than NULL.
   */
  'possibleKinds': (number);
  /**
   * set by the orchestrator: kinds of the column that `Learn` reported
   */
  'learnedKinds': (number);
}
