/** What the pool of engines needs of the snapshot writer. */
import type { LeasedEngine } from '../engines/engine-thread.ts';

/** Writes the snapshot of a trace before it is evicted. */
export interface SnapshotSink {
  /** Bytes of the copy of a large trace's memory that is being written; 0 if there is none. */
  readonly copyBytes: number;
  shouldWrite(key: string, costMs: number, memoryBytes: number): boolean;
  /** Calls `release` when it is done with the engine. */
  write(key: string, lease: { engine: LeasedEngine; release(): Promise<void> }): Promise<void>;
}
