/**
 * Which worker a trace goes to. Rendezvous hashing: each trace ranks the workers by a hash of both, so it
 * returns to the worker that has it loaded, and a worker that joins or leaves moves only its share.
 * With bounded load: a worker that has much more than its share is passed over.
 */
import type { TraceDigest } from '../query/trace-set.ts';

/** A worker may have this many times its fair share of a query's open traces. */
const LOAD_FACTOR = 1.25;

export interface PlacementTarget {
  /** Any number that is the worker's own: `placementSeed` of the name of its images, or of its address. */
  seed: number;
  /** Open traces of this query with the worker. */
  load: number;
}

/** FNV-1a. */
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

/** The worker that a trace belongs to, whatever the loads are. */
export function preferredWorker<P extends PlacementTarget>(
  digest: TraceDigest,
  places: Iterable<P>,
): P | undefined {
  let best: P | undefined;
  let bestScore = -1;
  for (const place of places) {
    const own = score(place.seed, digest);
    if (own > bestScore) {
      best = place;
      bestScore = own;
    }
  }
  return best;
}

/** The best-ranked of `places` whose load is within the bound. Undefined where `places` is empty. */
export function placementFor<P extends PlacementTarget>(
  digest: TraceDigest,
  places: P[],
): P | undefined {
  const total = places.reduce((sum, place) => sum + place.load, 0);
  const loadMax = Math.ceil((LOAD_FACTOR * (total + 1)) / places.length);
  const home = preferredWorker(digest, places);
  if (home === undefined || home.load < loadMax) return home;
  return preferredWorker(
    digest,
    places.filter((place) => place.load < loadMax),
  );
}
