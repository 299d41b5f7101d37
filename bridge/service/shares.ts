/**
 * Queries whose rows several servers of a ClickHouse cluster read (the views bigtrace_share). The bridge runs such a query
 * once, and gives each trace to one server: the one with the least to read, so that a slow server gets fewer.
 *
 * Nothing is lost or doubled: the query starts when each server has asked, and each may ask once. If a server dies,
 * ClickHouse ends the query with an error. If it only leaves, because a LIMIT is reached, the others go on.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { type QueryEvents, startQuery } from '../commands/query-stream.ts';
import type { BridgeClient } from '../grpc/bridge-client.ts';
import type { FailureEvent, RowsEvent } from '../grpc/messages.ts';
import type { QueryInput } from '../request/request.ts';
import { Share } from './share.ts';

/** How long the first server waits for the last one. */
const GATHER_MS = 60_000;

/** Keys of ended queries that are remembered. */
const ENDED_MAX = 100_000;

/** A server of a cluster that asks for its share. */
export interface Member {
  /** `host:port` */
  server: string;
  cluster: string;
  /** How many servers the cluster has. */
  servers: number;
}

export interface SharedStart {
  input: QueryInput;
  /** Returns the error that all servers report. */
  errorToReport: (error: unknown) => Promise<unknown>;
}

export class SharedQueries {
  readonly #newClient: () => BridgeClient;
  readonly #gatherMs: number;
  readonly #running = new Map<string, SharedQuery>();
  /** In the order in which they ended, each with the error that ended it before it started, if one did. */
  readonly #ended = new Map<string, unknown>();

  constructor(newClient: () => BridgeClient, gatherMs = GATHER_MS) {
    this.#newClient = newClient;
    this.#gatherMs = gatherMs;
  }

  /**
   * Adds the server to the query of this key, which starts with the last server.
   * @throws invalid_option if the server has asked before; the error of the others if the query has failed without it
   */
  join(key: string, member: Member, start: SharedStart): Share {
    const running = this.#running.get(key);
    const failure = this.#ended.get(key);
    if (failure !== undefined) throw failure;
    if (this.#ended.has(key) || running?.has(member)) {
      const error = new BigtraceError(
        'invalid_option',
        `server ${member.server} asks twice for its share of a query: a statement may call bigtrace_share or ` +
          'bigtrace_cluster only once with the same arguments; add a comment to the script of the second call, and use each query ID once',
      );
      running?.fail(error);
      throw error;
    }
    const query = running ?? this.#begin(key, member, start);
    return query.add(member);
  }

  #begin(key: string, member: Member, start: SharedStart): SharedQuery {
    const onEnd = (failure: unknown): void => {
      this.#running.delete(key);
      this.#ended.set(key, failure);
      const [oldest] = this.#ended.keys();
      if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
    };
    const timing = { gatherMs: this.#gatherMs, onEnd };
    const query = new SharedQuery(this.#newClient(), member, start, timing);
    this.#running.set(key, query);
    return query;
  }
}

class SharedQuery implements QueryEvents {
  readonly #client: BridgeClient;
  readonly #expected: Member;
  readonly #start: SharedStart;
  readonly #gathering: NodeJS.Timeout;
  readonly #onEnd: (failure: unknown) => void;
  readonly #shares = new Map<string, Share>();
  /** The share of each trace whose last rows have not arrived, by the bytes of the address (as latin1). */
  readonly #open = new Map<string, Share>();
  #stop: (() => void) | undefined;
  #isOver = false;
  #hasFailed = false;
  begun = false;

  constructor(
    client: BridgeClient,
    expected: Member,
    start: SharedStart,
    { gatherMs, onEnd }: { gatherMs: number; onEnd: (failure: unknown) => void },
  ) {
    this.#client = client;
    this.#expected = expected;
    this.#start = start;
    this.#onEnd = onEnd;
    this.#gathering = setTimeout(() => this.fail(this.#incomplete(gatherMs)), gatherMs);
  }

  has({ server }: Member): boolean {
    return this.#shares.has(server);
  }

  add({ server, servers }: Member): Share {
    const share = new Share({
      fail: (error) => this.fail(error),
      leave: () => this.#left(share),
    });
    this.#shares.set(server, share);
    if (servers !== this.#expected.servers) this.fail(this.#differs(server, servers));
    else if (this.#shares.size === servers && !this.#isOver) this.#run();
    return share;
  }

  #run(): void {
    clearTimeout(this.#gathering);
    const { done, stop } = startQuery(this.#client, this.#start.input, this, {
      mayRepeat: true,
      more: undefined,
    });
    this.#stop = stop;
    done.catch((error: unknown) => this.fail(error));
  }

  async write(rows: RowsEvent): Promise<void> {
    this.begun = true;
    const key = keyOf(rows);
    await this.#room(key);
    const share = this.#open.get(key) ?? this.#least();
    if (share === undefined) return;
    if (rows.last) this.#open.delete(key);
    else this.#open.set(key, share);
    share.push(key, rows);
  }

  /** Resolves when the share of the trace has room. A trace that is new goes to any share that has. */
  async #room(key: string): Promise<void> {
    for (;;) {
      const open = this.#open.get(key);
      const share = open ?? this.#least();
      if (share === undefined || share.hasRoom || share.hasLeft) return;
      const all = [...this.#shares.values()].filter(({ hasLeft }) => !hasLeft);
      await Promise.race((open === undefined ? all : [open]).map((one) => one.room()));
    }
  }

  /** All shared queries are strict. */
  failed({ code }: FailureEvent): void {
    throw new BigtraceError('internal', `a strict query reported a failed trace (${code})`);
  }

  /** The servers flush what they have read. */
  async flush(): Promise<void> {}

  end(): void {
    for (const share of this.#shares.values()) share.end();
    this.#over();
  }

  /** Ends all shares with the same error. Later errors are not reported. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#over(error);
    const reported = this.#start.errorToReport(error);
    for (const share of this.#shares.values()) share.failWith(reported);
  }

  /** Gives the traces that the server has not begun to read to the others. */
  #left(share: Share): void {
    if (this.#stop === undefined) {
      const { cluster } = this.#expected;
      this.fail(
        new BigtraceError('cancelled', `a server of the cluster ${cluster} left before the start`),
      );
      return;
    }
    const others = new Map<string, Share>();
    for (const [key, rows] of share.unbegun()) {
      const other = others.get(key) ?? this.#least();
      if (other === undefined) break;
      others.set(key, other);
      if (this.#open.get(key) === share) this.#open.set(key, other);
      other.push(key, rows);
    }
    if (this.#least() === undefined) this.#over();
  }

  /** Returns the share with the least to read, and of those the one that has had the least. */
  #least(): Share | undefined {
    let least: Share | undefined;
    for (const share of this.#shares.values())
      if (!share.hasLeft && (least === undefined || share.isLessThan(least))) least = share;
    return least;
  }

  #over(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#gathering);
    this.#stop?.();
    this.#client.close();
    this.#onEnd(this.#stop === undefined ? error : undefined);
  }

  #incomplete(gatherMs: number): BigtraceError {
    const { cluster, servers } = this.#expected;
    const asked = [...this.#shares.keys()].join(', ');
    return new BigtraceError(
      'deadline_exceeded',
      `only ${this.#shares.size} of the ${servers} servers of the cluster ${cluster} asked for their share within ${gatherMs / 1000} s: ${asked}; ` +
        'call bigtrace_share only in clusterAllReplicas, and let all servers reach the same bridge',
    );
  }

  #differs(server: string, servers: number): BigtraceError {
    const { cluster, server: first, servers: expected } = this.#expected;
    return new BigtraceError(
      'invalid_option',
      `the cluster ${cluster} has ${expected} servers in the configuration of ${first}, and ${servers} in that of ${server}`,
    );
  }
}

function keyOf({ trace }: RowsEvent): string {
  return Buffer.from(trace.buffer, trace.byteOffset, trace.length).toString('latin1');
}
