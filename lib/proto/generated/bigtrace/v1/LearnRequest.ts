// Original file: bigtrace.proto


/**
 * A value did not fit the type that was found for its column: the next search takes it into account.
 */
export interface LearnRequestInput {
  'user'?: (string);
  'sql'?: (Buffer | Uint8Array | string);
  /**
   * of the script's answer, from 0
   */
  'column'?: (number);
  /**
   * bits as in Column.cell_kinds
   */
  'kinds'?: (number);
  /**
   * SHA-256 over the addresses that Schema was asked with, each with a NUL behind it
   */
  'tracesDigest'?: (Buffer | Uint8Array | string);
}

/**
 * A value did not fit the type that was found for its column: the next search takes it into account.
 */
export interface LearnRequest {
  'user': (string);
  'sql': (Buffer);
  /**
   * of the script's answer, from 0
   */
  'column': (number);
  /**
   * bits as in Column.cell_kinds
   */
  'kinds': (number);
  /**
   * SHA-256 over the addresses that Schema was asked with, each with a NUL behind it
   */
  'tracesDigest': (Buffer);
}
