// Original file: bigtrace.proto

export const TaskPhase = {
  /**
   * waits for a thread of the worker
   */
  QUEUED: 'QUEUED',
  /**
   * the worker reads the trace from its store
   */
  READING: 'READING',
  /**
   * the engine parses the trace, or restores its memory image
   */
  PARSING: 'PARSING',
  /**
   * the engine runs the script
   */
  RUNNING_SQL: 'RUNNING_SQL',
} as const;

export type TaskPhaseInput =
  /**
   * waits for a thread of the worker
   */
  | 'QUEUED'
  | 0
  /**
   * the worker reads the trace from its store
   */
  | 'READING'
  | 1
  /**
   * the engine parses the trace, or restores its memory image
   */
  | 'PARSING'
  | 2
  /**
   * the engine runs the script
   */
  | 'RUNNING_SQL'
  | 3

export type TaskPhase = typeof TaskPhase[keyof typeof TaskPhase]
