// Original file: bigtrace.proto

export const OnFailure = {
  /**
   * the first failed trace cancels the query
   */
  STRICT: 'STRICT',
  /**
   * failed traces are reported as data, the others answer
   */
  LENIENT: 'LENIENT',
} as const;

export type OnFailureInput =
  /**
   * the first failed trace cancels the query
   */
  | 'STRICT'
  | 0
  /**
   * failed traces are reported as data, the others answer
   */
  | 'LENIENT'
  | 1

export type OnFailure = typeof OnFailure[keyof typeof OnFailure]
