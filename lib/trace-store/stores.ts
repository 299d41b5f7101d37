/**
 * All stores of a service, accessed by trace address. An address may name a member of an archive (members/). Every error
 * names the address of its trace.
 */
import { isPattern, parseAddress } from '../common/addresses/address.ts';
import { canonicalAddress } from '../common/addresses/canonical-address.ts';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import { archivePatterns } from '../common/glob/archive-patterns.ts';
import { Glob } from '../common/glob/glob.ts';
import { printable } from '../common/text/byte-text.ts';
import type { StoreCounters } from './guards/with-counters.ts';
import { inOrder } from './members/in-order.ts';
import { BORDER, isMemberGeneration } from './members/member-path.ts';
import { isMissing, Members } from './members/members.ts';
import type { ReadOptions, StoredTrace, TraceStat, TraceStore } from './trace-store.ts';

export interface ListedTrace extends TraceStat {
  address: string;
}

export class TraceStores {
  readonly #stores: ReadonlyMap<string, TraceStore>;
  readonly #members: Members;

  /** Live counters by store name. */
  readonly counters: ReadonlyMap<string, StoreCounters>;

  constructor(
    stores: readonly TraceStore[],
    counters: ReadonlyMap<string, StoreCounters> = new Map(),
    unpackedBytesMax?: number,
  ) {
    this.#members = new Members(unpackedBytesMax);
    this.counters = counters;
    this.#stores = new Map(stores.map((store) => [store.name, store]));
  }

  /**
   * Returns the name and the request limit of an address's store; undefined if the store has no limit.
   * @throws invalid_address
   */
  requestsMax(address: string): { store: string; requestsMax: number } | undefined {
    const { name, requestsMax } = this.#find(address).store;
    return requestsMax === undefined ? undefined : { store: name, requestsMax };
  }

  async stat(address: string, signal?: AbortSignal): Promise<TraceStat> {
    const { store, path } = this.#find(address);
    try {
      return await this.#stat(store, path, signal);
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  /** Returns the stat of the trace with this path, or else that of the member of an archive that the path names. */
  async #stat(store: TraceStore, path: string, signal?: AbortSignal): Promise<TraceStat> {
    try {
      return await store.stat(path, signal);
    } catch (thrown) {
      if (!path.includes(BORDER) || !isMissing(thrown)) throw thrown;
      const stat = await this.#members.stat(store, path, signal);
      if (stat === undefined) throw thrown;
      return stat;
    }
  }

  /** The directories with which absolute paths of `/local` may begin. */
  get localRoots(): readonly string[] {
    return this.#stores.get('local')?.roots ?? [];
  }

  /**
   * Returns the canonical address of a trace (docs/stores.md) for any address that names it. For a pattern, returns a
   * pattern that matches the canonical addresses of its traces. Does not necessarily check that the trace exists.
   */
  async canonical(address: string, signal?: AbortSignal): Promise<string> {
    const { address: plain, needsStore } = canonicalAddress(address, this.localRoots);
    if (!needsStore) return plain;
    const { store, path } = this.#find(plain);
    try {
      return `/${store.name}/${await this.#canonicalPath(store, path, signal)}`;
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  async #canonicalPath(store: TraceStore, path: string, signal?: AbortSignal): Promise<string> {
    try {
      return (await store.canonical?.(path, signal)) ?? path;
    } catch (thrown) {
      const ofMember =
        path.includes(BORDER) && isMissing(thrown)
          ? await this.#members.canonical(store, path, signal)
          : undefined;
      if (ofMember === undefined) throw thrown;
      return ofMember;
    }
  }

  /** @see TraceStore.read */
  async *read(address: string, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { store, path } = this.#find(address);
    try {
      const isMember = isMemberGeneration(options.generation);
      yield* isMember ? this.#members.read(store, path, options) : store.read(path, options);
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  /**
   * Lists the trace whose literal name is the address, or else all traces that match the address as a pattern, which
   * may be none. The results have canonical addresses.
   * @throws trace_not_found if the address is not a pattern and no such trace exists
   */
  async *list(address: string, signal?: AbortSignal): AsyncGenerator<ListedTrace, void, undefined> {
    this.#find(address);
    const { store, path, text } = this.#find(await this.canonical(address, signal));
    try {
      const exactStat = await this.#statExactly(store, path, isPattern(text), signal);
      if (exactStat !== undefined) yield { address: text, ...exactStat };
      else
        for await (const batch of this.#list(store, path, signal))
          for (const { path: storePath, ...stat } of batch)
            yield { address: await this.#addressOf(store, storePath, signal), ...stat };
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  /** Lists what a pattern matches; with members of archives, if the pattern may match some. */
  #list(
    store: TraceStore,
    pattern: string,
    signal: AbortSignal | undefined,
  ): AsyncIterable<readonly StoredTrace[]> {
    const patterns = archivePatterns(pattern);
    if (patterns === undefined) return store.list(pattern, { signal });
    const files = Glob.parse(pattern);
    const found = async (trace: StoredTrace, until: AbortSignal): Promise<StoredTrace[]> => {
      const members = patterns.membersIn(trace.path);
      return [
        ...(files.matches(trace.path) ? [trace] : []),
        ...(members.length === 0 ? [] : await this.#members.list(store, trace, members, until)),
      ];
    };
    return inOrder(store.list(patterns.files, { signal }), found, signal);
  }

  async #statExactly(
    store: TraceStore,
    path: string,
    mayBePattern: boolean,
    signal: AbortSignal | undefined,
  ): Promise<TraceStat | undefined> {
    try {
      return await this.#stat(store, path, signal);
    } catch (thrown) {
      if (mayBePattern && isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Returns the canonical address of a path that a pattern found; the pattern may have `..` after its wildcards. */
  async #addressOf({ name }: TraceStore, path: string, signal?: AbortSignal): Promise<string> {
    const address = `/${name}/${path}`;
    return name === 'local' && path.includes('/..') ? this.canonical(address, signal) : address;
  }

  close(): void {
    for (const store of this.#stores.values()) store.close?.();
  }

  #find(address: string): { store: TraceStore; path: string; text: string } {
    const parsed = parseAddress(address);
    const store = this.#stores.get(parsed.store);
    if (store !== undefined) return { store, path: parsed.path, text: parsed.text };
    const names = [...this.#stores.keys()].map((name) => `/${name}/`).join(', ');
    throw new BigtraceError(
      'invalid_address',
      `there is no store /${printable(parsed.store)}/; this worker has ${names || 'none'}`,
      { trace: printable(address) },
    );
  }
}

function ofTrace(thrown: unknown, address: string): BigtraceError {
  return asBigtraceError(thrown).ofTrace(printable(address));
}
