/**
 * How many traces a query has, before the orchestrator that runs it knows: while its columns are being found, and while
 * the traces are still listed. Each replica counts for itself, once for a query, and only if a client wants to know.
 */
import { LRUCache } from 'lru-cache';
import { isPattern, parseAddress } from '../../lib/common/addresses/address.ts';
import { canonicalAddress } from '../../lib/common/addresses/canonical-address.ts';
import { WHERE_STORE } from '../../lib/common/addresses/where-address.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import type { Traces } from '../sql/traces.ts';
import type { QueryCounts, QueryWatch } from '../watch.ts';
import type { History } from './history.ts';

/** Counts at the same time; a further one begins when its client asks again. */
const COUNTING_MAX = 4;
const COUNTED_MAX = 1000;
const COUNT_MS_MAX = 300_000;

interface Counted {
  /** 0 while it is not known. */
  total: number;
  /** Ends the count. */
  control: AbortController;
}

export interface TotalsParts {
  history: Pick<History, 'pending'>;
  traces: { for(signal: AbortSignal): Pick<Traces, 'countOf'> };
  watch: Pick<QueryWatch, 'countTraces'>;
  log: Pick<Logger, 'debug'>;
}

export class TraceTotals {
  readonly #parts: TotalsParts;
  readonly #counted = new LRUCache<string, Counted>({
    max: COUNTED_MAX,
    dispose: ({ control }) => control.abort(),
  });
  #counting = 0;

  constructor(parts: TotalsParts) {
    this.#parts = parts;
  }

  /** Ends all counts. */
  close(): void {
    this.#counted.clear();
  }

  /** Ends the count of a query that has ended. */
  ended(uuid: string): void {
    this.#counted.delete(uuid);
  }

  /**
   * Returns the number of traces, as far as it is known; begins to count if it may be greater than the orchestrators know.
   * @param counts of the query; undefined if no orchestrator runs it yet
   */
  of(uuid: string, counts: Pick<QueryCounts, 'tracesTotal' | 'totalIsFinal'> | undefined): number {
    const known = this.#counted.get(uuid);
    if (counts?.totalIsFinal) {
      known?.control.abort();
      return counts.tracesTotal;
    }
    if (known === undefined && this.#counting < COUNTING_MAX) void this.#begin(uuid);
    return Math.max(counts?.tracesTotal ?? 0, known?.total ?? 0);
  }

  async #begin(uuid: string): Promise<void> {
    const counted = { total: 0, control: new AbortController() };
    this.#counted.set(uuid, counted);
    this.#counting += 1;
    const signal = AbortSignal.any([counted.control.signal, AbortSignal.timeout(COUNT_MS_MAX)]);
    try {
      const plan = (await this.#parts.history.pending(uuid))?.plan;
      signal.throwIfAborted();
      if (plan !== undefined) counted.total = await this.#count(plan.addresses, signal);
    } catch (err) {
      this.#parts.log.debug({ err, uuid }, 'the traces of a query were not counted');
    } finally {
      this.#counting -= 1;
    }
  }

  /** @returns 0 if only the orchestrator can say */
  async #count(addresses: readonly string[], signal: AbortSignal): Promise<number> {
    const { traces, watch } = this.#parts;
    const filters = addresses.filter((address) => parseAddress(address).store === WHERE_STORE);
    if (filters.length > 0)
      return filters.length === addresses.length ? traces.for(signal).countOf(filters) : 0;
    if (addresses.some(isPattern)) return watch.countTraces(addresses, signal);
    return new Set(addresses.map((address) => canonicalAddress(address, []).address)).size;
  }
}
