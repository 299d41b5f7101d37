// Original file: bigtrace.proto

export const TaskPhase = {
  /**
   * the task waits for an engine thread
   */
  QUEUED: 'QUEUED',
  /**
   * the worker reads the trace from its store
   */
  READING: 'READING',
  /**
   * the engine parses the trace, or restores its snapshot
   */
  PARSING: 'PARSING',
  /**
   * the engine runs the script
   */
  RUNNING_SQL: 'RUNNING_SQL',
} as const;

export type TaskPhaseInput =
  /**
   * the task waits for an engine thread
   */
  | 'QUEUED'
  | 0
  /**
   * the worker reads the trace from its store
   */
  | 'READING'
  | 1
  /**
   * the engine parses the trace, or restores its snapshot
   */
  | 'PARSING'
  | 2
  /**
   * the engine runs the script
   */
  | 'RUNNING_SQL'
  | 3

export type TaskPhase = typeof TaskPhase[keyof typeof TaskPhase]
