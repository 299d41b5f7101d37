/**
 * Chooses the worker for a trace by rendezvous hashing: each trace ranks the workers by a hash of both. So a trace
 * returns to the worker that has it loaded, and when a worker joins or leaves only its share of the traces moves.
 * The load is bounded: a worker with more than LOAD_FACTOR times its share is skipped.
 */
import type { TraceDigest } from '../query/trace-set.ts';

/** Maximum load of a worker, as a multiple of its fair share of a query's open traces. */
const LOAD_FACTOR = 1.25;

export interface PlacementTarget {
  /** Identifies the worker in the hash: `placementSeed` of its cache ID or, without one, of its address. */
  seed: number;
  /** Traces of this query that are queued for the worker or assigned to it. */
  load: number;
}

/** Returns the 32-bit FNV-1a hash of `name`. */
export function placementSeed(name: string): number {
  let seed = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) seed = Math.imul(seed ^ name.charCodeAt(at), 0x01000193);
  return seed >>> 0;
}

function score(seed: number, { words }: TraceDigest): number {
  let mixed = Math.imul(words[0] ^ seed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ words[1], 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x27d4eb2f);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Returns the preferred worker of a trace, regardless of load; undefined when `targets` is empty. */
export function preferredWorker<P extends PlacementTarget>(
  digest: TraceDigest,
  targets: Iterable<P>,
): P | undefined {
  let best: P | undefined;
  let bestScore = -1;
  for (const target of targets) {
    const own = score(target.seed, digest);
    if (own > bestScore) {
      best = target;
      bestScore = own;
    }
  }
  return best;
}

/** Returns the best-ranked of `targets` whose load is within the bound; undefined when `targets` is empty. */
export function placementFor<P extends PlacementTarget>(
  digest: TraceDigest,
  targets: P[],
): P | undefined {
  const total = targets.reduce((sum, target) => sum + target.load, 0);
  const loadMax = Math.ceil((LOAD_FACTOR * (total + 1)) / targets.length);
  const preferred = preferredWorker(digest, targets);
  if (preferred === undefined || preferred.load < loadMax) return preferred;
  return preferredWorker(
    digest,
    targets.filter((target) => target.load < loadMax),
  );
}

/** Returns the worker of those that share a trace on which a task begins first; the first of several. */
export function firstToBegin<P extends { rounds: number }>(sharing: readonly P[]): P | undefined {
  let best: P | undefined;
  for (const worker of sharing)
    if (best === undefined || worker.rounds < best.rounds) best = worker;
  return best;
}
