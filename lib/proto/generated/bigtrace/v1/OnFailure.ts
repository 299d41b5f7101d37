// Original file: bigtrace.proto

export const OnFailure = {
  /**
   * the query ends with the first trace that fails for good
   */
  STRICT: 'STRICT',
  /**
   * failed traces are reported, and the query continues
   */
  LENIENT: 'LENIENT',
} as const;

export type OnFailureInput =
  /**
   * the query ends with the first trace that fails for good
   */
  | 'STRICT'
  | 0
  /**
   * failed traces are reported, and the query continues
   */
  | 'LENIENT'
  | 1

export type OnFailure = typeof OnFailure[keyof typeof OnFailure]
