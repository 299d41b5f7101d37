/** Lists traces of stores whose API lists object names by prefix, page by page. */
import { BigtraceError } from '../common/errors.ts';
import { Turns } from '../common/event-loop-turn.ts';
import { Glob } from '../common/glob/glob.ts';
import { notFound, throwIfAborted } from './failures.ts';
import { isAfter } from './path-order.ts';
import type { StoredTrace, TraceStat } from './trace-store.ts';

export interface StoredObject extends TraceStat {
  /** Name within the bucket. */
  name: string;
}

export interface PageRequest {
  prefix: string;
  /** The store may omit names up to and including this one; the caller filters them in any case. */
  after: string | undefined;
  /** The continuation token of the previous page; undefined for the first page. */
  token: string | undefined;
}

export interface Page {
  /** Sorted by the bytes of their names. */
  objects: readonly StoredObject[];
  /** The continuation token of the next page; undefined if this is the last one. */
  token: string | undefined;
}

export interface ObjectListing {
  /** A pattern for object names. */
  pattern: string;
  /** The part of a path before the object name. */
  bucketPath: string;
  /** Skips this path and all that sort before it. */
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
  if (!prefix.isWellFormed()) return; // object names are UTF-8: none has this prefix
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

/** Whether an object can be a trace: consoles and tools create empty objects with a trailing slash as folders. */
function isTrace(name: string): boolean {
  return !name.endsWith('/');
}

/** Rethrows an error of a listing; "not found" then refers to the bucket. */
function asBucket(thrown: unknown): never {
  const isNotFound = thrown instanceof BigtraceError && thrown.code === 'trace_not_found';
  throw isNotFound ? notFound('there is no such bucket') : thrown;
}
