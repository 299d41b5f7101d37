/** Where the workers of a fleet share snapshots. */

export interface WriteOptions {
  replace: boolean;
  signal: AbortSignal;
}

/** Keeps files under names; a file is replaced only if it is damaged. Calls throw if they fail. */
export interface SharedStore {
  /** Returns the contents of a file; undefined if there is none. */
  read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Stores the file at `path` under `name`. If there is one of this name, it is kept, or replaced with `replace`. */
  write(name: string, path: string, options: WriteOptions): Promise<void>;
  close(): void;
}
