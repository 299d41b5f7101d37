/**
 * The interface that every store implements and that testing/contract.ts tests for each driver. A path is the part of
 * an address after `/<store>/`, encoded as in lib/common/text/byte-text.ts: it may contain any byte.
 */

export interface TraceStat {
  /** Size in bytes; undefined if the store does not report it before the trace has been read. */
  size: number | undefined;
  /** Changes whenever the bytes of the trace change. Opaque; comparable only between generations of one path. */
  generation: string;
  /** Milliseconds since the epoch; 0 if the store does not report it. */
  modifiedMs: number;
}

export interface StoredTrace extends TraceStat {
  path: string;
}

export interface ReadOptions {
  /** The generation to read, as `stat` or `list` returned it. */
  generation: string;
  /** Offset of the first byte to read; an interrupted read resumes this way. Default: 0. */
  start?: number;
  signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** Skips this path and all that sort before it; an interrupted listing resumes this way. */
  after?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A store of traces. All methods throw a BigtraceError that does not yet name the trace: invalid_address, forbidden,
 * unauthenticated, invalid_option, trace_not_found, trace_changed or store_failed; if the signal aborted, its reason
 * or `cancelled`.
 */
export interface TraceStore {
  /** The name of the store: the first segment of its addresses. */
  readonly name: string;
  /** The maximum number of concurrent requests except listings, which callers enforce; undefined if unlimited. */
  readonly requestsMax?: number;

  /** The directories with which absolute paths may begin; undefined if the store has no absolute paths. */
  readonly roots?: readonly string[];

  stat(path: string, signal?: AbortSignal): Promise<TraceStat>;

  /**
   * Returns the path that a trace has in responses and listings, for any path that names it; for a pattern, the
   * pattern of such paths. Undefined if every path is already canonical.
   */
  canonical?(path: string, signal?: AbortSignal): Promise<string>;

  /**
   * Reads all bytes of exactly that generation from `start` on. Leaving the loop early ends the download. A chunk
   * belongs to the caller: the store does not access it again, so it can be kept or transferred without a copy.
   * @throws store_failed if bytes are missing; trace_changed if the trace has another generation. Both can occur
   *   after some chunks have been returned.
   */
  read(path: string, options: ReadOptions): AsyncIterable<Uint8Array>;

  /**
   * Lists the traces that a pattern (glob.ts) matches, sorted by the bytes of their paths, in batches of about one
   * store request each. A batch may be empty; finding no trace is not an error. Memory use does not grow with the
   * number of traces.
   */
  list(pattern: string, options?: ListOptions): AsyncIterable<readonly StoredTrace[]>;

  /** Closes the store's connections. */
  close?(): void;
}
