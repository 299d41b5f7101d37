/** Listing for stores that list names by prefix, a page at a time. */
import { BigtraceError } from '../common/errors.ts';
import { Turns } from '../common/event-loop-turn.ts';
import { Glob } from '../common/glob/glob.ts';
import { notFound, throwIfAborted } from './failures.ts';
import { isAfter } from './path-order.ts';
import type { StoredTrace, TraceStat } from './trace-store.ts';

export interface StoredObject extends TraceStat {
  /** Within its bucket. */
  name: string;
}

export interface PageRequest {
  prefix: string;
  /** Names up to this one need not come; a store may take it or leave it. */
  after: string | undefined;
  /** Of the page before. */
  token: string | undefined;
}

export interface Page {
  /** Sorted by the bytes of their names. */
  objects: readonly StoredObject[];
  /** Undefined: this was the last. */
  token: string | undefined;
}

export interface ObjectListing {
  /** Of objects' names. */
  pattern: string;
  /** Stands before a name in a path. */
  bucketPath: string;
  /** A path. */
  after: string | undefined;
  signal: AbortSignal | undefined;
  page: (request: PageRequest) => Promise<Page>;
}

export async function* listObjects({
  pattern,
  bucketPath,
  after,
  signal,
  page,
}: ObjectListing): AsyncGenerator<readonly StoredTrace[], void, undefined> {
  const glob = Glob.parse(pattern);
  const prefix = glob.literalPrefix;
  if (!prefix.isWellFormed()) return; // names of objects are UTF-8: none begins so
  const afterName = after?.slice(bucketPath.length);
  const turns = new Turns();
  let token: string | undefined;
  do {
    throwIfAborted(signal);
    const { objects, token: next } = await page({ prefix, after: afterName, token }).catch(
      asBucket,
    );
    const matched: StoredTrace[] = [];
    for (const { name, ...stat } of objects) {
      const isWanted = isTrace(name) && (afterName === undefined || isAfter(name, afterName));
      if (isWanted && glob.matches(name)) matched.push({ path: bucketPath + name, ...stat });
      await turns.next();
    }
    yield matched;
    token = next;
  } while (token !== undefined);
}

/** Consoles and tools mark folders by empty objects whose names end in a slash. */
function isTrace(name: string): boolean {
  return !name.endsWith('/');
}

/** What is not found by a listing is the bucket. */
function asBucket(thrown: unknown): never {
  const isNotFound = thrown instanceof BigtraceError && thrown.code === 'trace_not_found';
  throw isNotFound ? notFound('there is no such bucket') : thrown;
}
