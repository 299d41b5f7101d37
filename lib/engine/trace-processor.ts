/** One instance of TraceProcessor: it loads a trace in chunks, then runs scripts. All calls block their thread. */
import { BigtraceError } from '../common/errors.ts';
import { checkSqlLength } from '../common/text/text-bounds.ts';
import { type Engine, NOTHING_PREPARED, type UnpreparedEngine } from './engine.ts';
import { isSurelyPackets } from './primed-start.ts';
import { warningsSql } from './reading/index.ts';
import { orIncompleteSql } from './script/incomplete-sql.ts';
import type { SqlPackage } from './script/sql-packages.ts';
import { summaryResults } from './script/summary.ts';
import { readMemoryFile } from './snapshot/memory-file.ts';
import {
  blockPieces,
  memoryPieces,
  type Piece,
  type Snapshot,
  snapshotMemory,
  snapshotPieces,
} from './snapshot/snapshot.ts';
import { type ReadBytes, readSnapshot, SnapshotUnreadable } from './snapshot/snapshot-file.ts';
import { TraceBeginning } from './trace-beginning.ts';
import {
  queryError,
  type Reply,
  ReplyFrames,
  readReply,
  registerArgs,
  requestHead,
  summaryArgs,
} from './wasm/rpc.ts';
import { WasmHost } from './wasm/wasm-host.ts';

export interface TraceProcessorOptions {
  /** Bound of the instance's wasm memory, in bytes. Default: 4 GiB, the maximum of 32-bit memory. */
  memoryBytesMax?: number;
}

/** A smaller memory is copied instead: that is faster than the faults on its pages. */
const IMAGE_BYTES_MIN = 64 * 2 ** 20;

export class TraceProcessor {
  readonly #engine: Engine;
  readonly #host: WasmHost;
  readonly #frames = new ReplyFrames();
  #onReply: (reply: Reply) => void = () => {};
  /** The first error of the load; later errors are only its consequences. */
  #loadError: BigtraceError | undefined;
  readonly #beginning = new TraceBeginning();
  /**
   * Whether the instance is to be put into the engine's initial state, or into the primed one, before it is used. Most pages of
   * the primed state stay as they are while a trace is loaded, so they need not be copied for the next one.
   */
  #isReset = false;

  /** An engine that is not prepared has no initial state yet: the instance starts it. */
  constructor(
    engine: Engine | UnpreparedEngine,
    { memoryBytesMax = 2 ** 32 }: TraceProcessorOptions = {},
  ) {
    this.#engine = 'initial' in engine ? engine : { ...NOTHING_PREPARED, ...engine };
    this.#host = new WasmHost(engine, memoryBytesMax, (piece) => {
      this.#frames.push(piece, (message) => this.#onReply(readReply(message)));
    });
    if (!('initial' in engine)) this.#host.boot();
    else {
      this.#restore([engine.initial]);
      this.#isReset = true;
    }
  }

  /** Address of the request buffer in wasm memory. */
  get requestAt(): number {
    return this.#host.requestAt;
  }

  /** A view of the wasm memory, valid until the next call. */
  get memory(): Uint8Array {
    return this.#host.memory;
  }

  /** Bytes of wasm memory; the number never decreases. */
  get memoryBytes(): number {
    return this.#host.memoryBytes;
  }

  /** The number by which another thread can interrupt a call; 0 if none can. */
  get interruptId(): number {
    return this.#host.interruptId;
  }

  /** Whether the engine has 64-bit memory. */
  get is64(): boolean {
    return this.#engine.width.is64;
  }

  get memoryBytesMax(): number {
    return this.#host.memoryBytesMax;
  }

  /** With a bound below the present size, the next growth fails. */
  set memoryBytesMax(bytes: number) {
    this.#host.memoryBytesMax = bytes;
  }

  /**
   * The error after which the instance cannot be used: it trapped, exceeded its memory bound, or a callback threw
   * in mid-query. `reset` and `restore` clear it.
   */
  get poisoned(): unknown {
    return this.#host.poisoned;
  }

  /**
   * Parses the next bytes of the trace.
   * @throws BigtraceError trace_invalid, limit_exceeded (memory bound), out_of_memory, engine_crashed
   */
  append(chunk: Uint8Array): void {
    if (this.#loadError !== undefined) throw this.#loadError;
    this.#beginning.keep(chunk);
    const pieceMax = this.#host.requestBytesMax - 64;
    const from = this.#prime(chunk.subarray(0, pieceMax)) ? 1 : 0;
    for (let at = 0; at < chunk.length; at += pieceMax) {
      // The pieces end at the same offsets, primed or not.
      const piece = chunk.subarray(Math.max(at, from), at + pieceMax);
      this.#request(requestHead('append', piece.length), piece, (reply) => {
        if (reply.appendError !== undefined) this.#failLoad(reply.appendError);
      });
      if (this.#loadError !== undefined) throw this.#loadError;
    }
  }

  /** Puts the instance into the state after the first byte of the trace, if there is such a state. @returns whether it did */
  #prime(first: Uint8Array): boolean {
    const { primed } = this.#engine;
    if (!this.#isReset || primed === undefined || primed.memoryBytes > this.memoryBytesMax)
      return false;
    if (!isSurelyPackets(first)) return false;
    this.#enter(primed);
    return true;
  }

  /** Puts an instance that was reset, and not poisoned since, into the engine's initial state, with `over` over it. */
  #enter(...over: Snapshot[]): void {
    if (!this.#isReset || this.poisoned !== undefined) return;
    const { initial, requestAt } = this.#engine;
    this.#host.restore([initial, ...over], requestAt);
    this.#isReset = false; // if that failed, it still has to be done
  }

  /** Ends the trace; after that, scripts can run. @throws BigtraceError as append */
  finalize(): void {
    if (this.#loadError !== undefined) throw this.#loadError;
    this.#request(requestHead('finalize', 0), undefined, (reply) => {
      if (reply.finalizeError !== undefined) this.#failLoad(reply.finalizeError);
    });
    this.#beginning.forget();
    if (this.#loadError !== undefined) throw this.#loadError;
  }

  /** Lets `bigtrace_warnings()` return the warnings of the load; without warnings it returns NULL. */
  tellWarnings(warnings: ReadonlyMap<string, number>): void {
    if (warnings.size > 0) this.query(warningsSql(warnings), () => {});
  }

  /**
   * Runs a script and passes the rows of its last statement to `onResult` as encoded
   * `perfetto.protos.QueryResult`s: the columns come with the first, `is_last_batch` is set in the last. The bytes
   * are a view into wasm memory, valid only during the call of `onResult`. If `query` throws, the results passed
   * before are void. If `onResult` throws, the query ends, the error is thrown on, and the instance is poisoned.
   * @throws BigtraceError sql_failed (TraceProcessor's message), limit_exceeded, out_of_memory, engine_crashed
   */
  query(sql: Uint8Array, onResult: (queryResult: Uint8Array) => void): void {
    checkSqlLength('SQL', sql);
    let failure: string | undefined;
    this.#call('query', sql, ({ queryResult }) => {
      if (queryResult === undefined || failure !== undefined) return;
      failure = queryError(queryResult);
      if (failure === undefined) onResult(queryResult);
    });
    if (failure !== undefined) throw new BigtraceError('sql_failed', failure);
  }

  /**
   * Computes all metrics of a `TraceSummarySpec` in textproto and passes their rows to `onResult` as encoded
   * `QueryResult`s, with the columns of summary.ts.
   * @throws BigtraceError as query
   */
  summarize(spec: Uint8Array, onResult: (queryResult: Uint8Array) => void): void {
    checkSqlLength('the summary specification', spec);
    const args = summaryArgs(spec);
    let failure: string | undefined;
    let summary: Uint8Array | undefined;
    this.#call('summarize', args, (reply) => {
      failure ??= reply.summaryError;
      summary ??= reply.summary?.slice();
    });
    if (failure !== undefined) throw new BigtraceError('sql_failed', failure);
    for (const result of summaryResults(summary ?? new Uint8Array())) onResult(result);
  }

  /**
   * Registers a package's modules for INCLUDE PERFETTO MODULE, until `reset` or `restore`.
   * @param replaces whether the package replaces one with its name
   * @throws BigtraceError invalid_option with TraceProcessor's reason, for example when the name is taken
   */
  register(sqlPackage: SqlPackage, replaces = false): void {
    const args = registerArgs(sqlPackage, replaces);
    let failure: string | undefined;
    this.#request(requestHead('register', args.length), args, ({ registerError }) => {
      failure ??= registerError;
    });
    if (failure !== undefined)
      throw new BigtraceError(
        'invalid_option',
        `--sql-package ${sqlPackage.name}: ${failure.split('\n', 1)[0]}`,
      );
  }

  /**
   * Returns the memory as a snapshot over those `below`, lowest first; over zeros, it has the form of `Engine.initial`.
   * @throws `poisoned` when it is set
   */
  memoryOver(
    below: readonly Snapshot[],
    BufferOf?: ArrayBufferConstructor,
  ): Omit<Snapshot, 'engine'> {
    if (this.poisoned !== undefined) throw this.poisoned;
    this.#enter();
    this.#host.readWhole();
    this.#host.clearRequest();
    return snapshotMemory(this.#host.memory, below, BufferOf);
  }

  /**
   * Returns the state of the instance, which can be restored here or in another instance of the same engine. It can be
   * shared between threads, or transferred to one with `ArrayBuffer`.
   * @throws `poisoned` when it is set
   */
  snapshot(BufferOf?: ArrayBufferConstructor): Snapshot {
    const { initial, identity } = this.#engine;
    return { engine: identity, ...this.memoryOver([initial], BufferOf) };
  }

  /**
   * Puts the instance into the state of a snapshot, even if it is poisoned.
   * @throws BigtraceError limit_exceeded (memory bound), out_of_memory; internal: a snapshot of another engine
   */
  restore(snapshot: Snapshot): void {
    if (snapshot.engine !== this.#engine.identity)
      throw new BigtraceError('internal', 'the snapshot is of another engine');
    this.#restore([this.#engine.initial, snapshot]);
  }

  /**
   * Puts the instance into the state of a snapshot file. A failure halfway poisons the instance.
   * @throws SnapshotUnusable; BigtraceError limit_exceeded (memory bound), out_of_memory; what `read` throws
   */
  restoreFile(read: ReadBytes): void {
    const { initial, identity, requestAt } = this.#engine;
    this.#host.restoreFrom(initial, readSnapshot(read, identity), requestAt);
    this.#forget();
  }

  /**
   * As `restoreFile`, but all engines of the process that restore this trace share its memory, by the key of its image, as far
   * as they do not change it. Without a runtime that has images, if the system allows no further one, and for a small memory,
   * it is restoreFile.
   */
  restoreShared(read: ReadBytes, key: string): void {
    const { initial, identity, requestAt } = this.#engine;
    const snapshot = readSnapshot(read, identity);
    const { memoryBytes, runs, blocks } = snapshot;
    function* pieces(): Generator<Piece> {
      yield* snapshotPieces(initial);
      yield* blockPieces(runs, blocks);
    }
    const isLarge = memoryBytes >= IMAGE_BYTES_MIN;
    if (!isLarge || !this.#host.makeImage(key, { memoryBytes, pieces: pieces() }, requestAt))
      this.#host.restoreFrom(initial, snapshot, requestAt);
    this.#forget();
  }

  /**
   * Puts the instance into the state of an uncompressed snapshot, in milliseconds: its file is read as the memory is touched. Other
   * engines of the process share it, as with `restoreShared`.
   * @param file an open file, which the caller closes
   * @throws SnapshotUnusable; BigtraceError limit_exceeded (memory bound), out_of_memory
   */
  restoreUncompressed(file: number, key: string): void {
    const { identity, requestAt } = this.#engine;
    const memory = readMemoryFile(file, { engine: identity, key });
    if (!this.#host.mapFile(key, file, memory, requestAt))
      throw new SnapshotUnreadable('no memory can be read from it here');
    this.#forget();
  }

  /**
   * Puts the instance into the state of the image with this key, in milliseconds.
   * @returns false if no engine of the process has such an image
   * @throws BigtraceError limit_exceeded (memory bound), out_of_memory
   */
  restoreImage(key: string): boolean {
    if (!this.#host.mapImage(key, this.#engine.requestAt)) return false;
    this.#forget();
    return true;
  }

  /**
   * Makes an image of the present state, which other engines of the process can restore, and of which this one changes a copy.
   * @returns false if the runtime has no images, the system allows no further one, or the memory is too small for one
   * @throws `poisoned` when it is set; BigtraceError out_of_memory
   */
  makeImage(key: string): boolean {
    if (this.poisoned !== undefined) throw this.poisoned;
    if (this.imageBytes > 0) return true;
    this.#enter();
    const { memoryBytes } = this;
    if (memoryBytes < IMAGE_BYTES_MIN) return false;
    this.#host.clearRequest();
    const pieces = memoryPieces(this.#host.memory);
    return this.#host.makeImage(key, { memoryBytes, pieces }, this.#engine.requestAt);
  }

  /** Size of the image that the engine's memory is a copy of; 0 if there is none. */
  get imageBytes(): number {
    return this.#host.imageBytes;
  }

  /** The part of the image that the engine has changed. */
  get changedBytes(): number {
    return this.#host.changedBytes;
  }

  /** Returns the instance to its initial state, ready for the next trace. It keeps the memory it has allocated. */
  reset(): void {
    if (this.poisoned !== undefined || this.imageBytes > 0) this.#restore([this.#engine.initial]);
    this.#forget();
    this.#isReset = true;
  }

  /** Returns the version that TraceProcessor reports, such as "Perfetto v55.3-…". */
  version(): string {
    let version: string | undefined;
    this.#request(requestHead('status', 0), undefined, (reply) => {
      version = reply.version;
    });
    return version ?? 'unknown';
  }

  #restore(snapshots: readonly Snapshot[]): void {
    this.#host.restore(snapshots, this.#engine.requestAt);
    this.#forget();
  }

  #forget(): void {
    this.#isReset = false;
    this.#frames.clear();
    this.#loadError = undefined;
    this.#beginning.forget();
  }

  #failLoad(message: string): void {
    this.#loadError ??= this.#beginning.failure(message);
  }

  /** Sends a request that runs the client's SQL. */
  #call(method: 'query' | 'summarize', body: Uint8Array, onReply: (reply: Reply) => void): void {
    try {
      this.#request(requestHead(method, body.length), body, onReply);
    } catch (error) {
      throw orIncompleteSql(error);
    }
  }

  #request(head: Uint8Array, body: Uint8Array | undefined, onReply: (reply: Reply) => void): void {
    this.#enter();
    let fatal: string | undefined;
    this.#onReply = (reply) => {
      fatal ??= reply.fatalError;
      onReply(reply);
    };
    this.#host.request(head, body);
    if (fatal !== undefined)
      throw new BigtraceError('internal', `TraceProcessor refused a request: ${fatal}`);
  }
}
