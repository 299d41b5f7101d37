/**
 * The narrow interface that every store of traces implements, and that the contract suite
 * (contract.ts) holds each of them to. Paths are what follows `/<store>/` in an address, as text of
 * lib/common/text/byte-text.ts: they may hold any byte.
 */

export interface TraceStat {
  /** Bytes; undefined where the store does not say before all of them were read. */
  size: number | undefined;
  /** Changes whenever the trace's bytes do; opaque, and comparable within one path only. */
  generation: string;
  /** Since the epoch; 0 where the store does not know. */
  modifiedMs: number;
}

export interface StoredTrace extends TraceStat {
  path: string;
}

export interface ReadOptions {
  /** Of the bytes wanted, as `stat` or `list` gave it. */
  generation: string;
  /** Bytes to leave out at the beginning; a read that was cut goes on this way. */
  start?: number;
  signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** Leaves out this path and all that sort before it; a listing that was cut goes on this way. */
  after?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Every failure is a BigtraceError without its trace: invalid_address, forbidden, unauthenticated,
 * trace_not_found, trace_changed, store_failed; or what the signal was aborted with.
 */
export interface TraceStore {
  /** The first segment of its addresses. */
  readonly name: string;
  /** How many requests it is to be asked at once, listings left out; undefined: any number. The caller counts. */
  readonly requestsMax?: number;

  /** Directories that absolute paths may begin with, if that is how its traces can be named. */
  readonly roots?: readonly string[];

  stat(path: string, signal?: AbortSignal): Promise<TraceStat>;

  /**
   * The one path that a trace has in answers and listings, of any by which it can be named; of a pattern,
   * that of what it matches. Absent: a path is its only one.
   */
  canonical?(path: string, signal?: AbortSignal): Promise<string>;

  /**
   * The bytes of exactly that generation, to the last one: fewer of them are store_failed, another
   * generation is trace_changed, wherever in the stream it comes to light. Leaving the loop early
   * ends the download. A chunk belongs to whoever receives it: the store neither reads nor writes its
   * bytes again, so that a chunk can be kept, sent or transferred without a copy.
   */
  read(path: string, options: ReadOptions): AsyncIterable<Uint8Array>;

  /**
   * The traces that a pattern (glob.ts) matches, sorted by the bytes of their paths, as they come: a
   * batch for each request or so to the store, which may be empty. None at all is no error. Memory
   * does not grow with their number.
   */
  list(pattern: string, options?: ListOptions): AsyncIterable<readonly StoredTrace[]>;

  /** Lets go of connections. */
  close?(): void;
}
