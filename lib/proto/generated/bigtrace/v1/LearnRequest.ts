// Original file: bigtrace.proto


/**
 * A value that did not fit the type of its column; the next column finding considers it.
 */
export interface LearnRequestInput {
  'user'?: (string);
  'sql'?: (Buffer | Uint8Array | string);
  /**
   * position of the column in the script's result, from 0
   */
  'column'?: (number);
  /**
   * bits as in Column.cell_kinds
   */
  'kinds'?: (number);
  /**
   * SHA-256 of the addresses in the SchemaRequest, each followed by a NUL
   */
  'tracesDigest'?: (Buffer | Uint8Array | string);
}

/**
 * A value that did not fit the type of its column; the next column finding considers it.
 */
export interface LearnRequest {
  'user': (string);
  'sql': (Buffer);
  /**
   * position of the column in the script's result, from 0
   */
  'column': (number);
  /**
   * bits as in Column.cell_kinds
   */
  'kinds': (number);
  /**
   * SHA-256 of the addresses in the SchemaRequest, each followed by a NUL
   */
  'tracesDigest': (Buffer);
}
