/** Uploads files to an object store. Only shared snapshots are uploaded; traces are only read. */
export interface Upload {
  /**
   * Stores a file under a name. If there is an object of this name, it is kept, or replaced with `replace`.
   * @throws BigtraceError; the system's error if there is no such file
   */
  put(
    name: string,
    path: string,
    options: { replace: boolean; signal: AbortSignal },
  ): Promise<void>;
  close(): void;
}
