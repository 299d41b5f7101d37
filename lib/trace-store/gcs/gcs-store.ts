/**
 * The store of `/gcs/<bucket>/o/<object>` addresses: Google Cloud Storage. The client library requests metadata and
 * listings and provides the credentials. Downloads use our own HTTP client, because the library's stream throws an
 * uncatchable error when a reader leaves it early (seen in 7.22).
 */
import type { Storage } from '@google-cloud/storage';
import { decodedName } from '../../common/addresses/canonical-address.ts';
import { asBigtraceError } from '../../common/errors.ts';
import { splitBucket } from '../bucket-path.ts';
import { changed, interruptible, notFound } from '../failures.ts';
import { bodyBytes, HttpClient, type HttpReply, shortText, statusError } from '../http-request.ts';
import { listObjects, type Page, type PageRequest } from '../object-list.ts';
import { splitSize, withSize } from '../sized-generation.ts';
import type { ReadOptions, TraceStat, TraceStore } from '../trace-store.ts';
import { gcsError, rejectionReason } from './gcs-error.ts';
import { type GcsOptions, openStorage } from './open-storage.ts';

const PAGE_OBJECTS = 1000;
const SHAPE = '/gcs/<bucket>/o/<object>';
const FIELDS = 'name,size,generation,timeCreated';

/** The metadata fields of an object that `FIELDS` requests. */
interface Metadata {
  name?: string | undefined;
  size?: string | number | undefined;
  generation?: string | number | undefined;
  timeCreated?: string | undefined;
}

interface ListReply {
  items?: Metadata[];
  nextPageToken?: string;
}

interface Range {
  generation: string;
  start: number;
  signal: AbortSignal | undefined;
}

/** Sends the requests of a store; the library `Storage` is loaded at the first one. */
class GcsRequests {
  readonly #options: GcsOptions;
  readonly #client = new HttpClient();
  readonly #payer: { userProject?: string };
  #opened: Promise<Storage> | undefined;

  constructor(options: GcsOptions) {
    this.#options = options;
    this.#payer = options.userProject === undefined ? {} : { userProject: options.userProject };
  }

  close(): void {
    this.#client.close();
  }

  async #withStorage<Value>(
    request: (storage: Storage) => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    this.#opened ??= openStorage(this.#options).catch((thrown) => {
      this.#opened = undefined; // the next call tries again: credentials may exist by then
      throw thrown;
    });
    try {
      const storage = await interruptible(this.#opened, signal);
      return await interruptible(request(storage), signal);
    } catch (thrown) {
      throw gcsError(thrown);
    }
  }

  async statObject(bucket: string, name: string, signal?: AbortSignal) {
    const [metadata] = await this.#withStorage(
      (storage) => storage.bucket(bucket, this.#payer).file(name).getMetadata({ fields: FIELDS }),
      signal,
    );
    return statOf(metadata);
  }

  async download(bucket: string, name: string, range: Range): Promise<HttpReply> {
    const { generation, start, signal } = range;
    const request = await this.#withStorage(async ({ baseUrl, authClient }) => {
      const url = mediaUrl(baseUrl, { bucket, name, generation }, this.#options);
      return { url, headers: await authClient.getRequestHeaders(url.href) };
    }, signal);
    // With gzip accepted, an object that is stored compressed is sent as stored, with the length that stat reported.
    const headers = { ...request.headers, 'accept-encoding': 'gzip' };
    const reply = await this.#client.request({
      url: request.url,
      headers: start === 0 ? headers : { ...headers, range: `bytes=${start}-` },
      signal,
    });
    if (reply.status === 200 || reply.status === 206) return reply;
    const why = rejectionReason(await shortText(reply));
    if (reply.status !== 404) throw statusError(reply.status, why);
    await this.statObject(bucket, name, signal);
    throw changed(); // the object exists, but in another generation
  }

  async page(bucket: string, request: PageRequest, signal: AbortSignal | undefined) {
    const query = {
      autoPaginate: false,
      maxResults: PAGE_OBJECTS,
      prefix: request.prefix,
      fields: `nextPageToken,items(${FIELDS})`,
      ...(request.after === undefined ? {} : { startOffset: request.after }),
      ...(request.token === undefined ? {} : { pageToken: request.token }),
    };
    const [, , reply] = await this.#withStorage(
      (s) => s.bucket(bucket, this.#payer).getFiles(query),
      signal,
    );
    return pageOf(reply as ListReply);
  }
}

export function gcsStore(options: GcsOptions): TraceStore {
  const requests = new GcsRequests(options);
  return {
    name: 'gcs',
    async stat(path, signal) {
      const { bucket, name } = splitBucket(path, '/o/', SHAPE);
      return firstNamed(name, (candidate) => requests.statObject(bucket, candidate, signal));
    },
    canonical: (path, signal) =>
      canonicalPath(path, (bucket, name) => requests.statObject(bucket, name, signal)),
    async *read(path: string, { generation, start = 0, signal }: ReadOptions) {
      const { bucket, name } = splitBucket(path, '/o/', SHAPE);
      const { id, size } = splitSize(generation);
      if (start > 0 && start === size) return;
      const range = { generation: id, start, signal };
      const reply = await firstNamed(name, (candidate) =>
        requests.download(bucket, candidate, range),
      );
      try {
        yield* bodyBytes(reply, { start, size, signal });
      } finally {
        reply.body.destroy();
      }
    },
    async *list(path, { after, signal } = {}) {
      const { bucket, name, prefix } = splitBucket(path, '/o/', SHAPE);
      yield* listObjects({
        pattern: name,
        bucketPath: prefix,
        after,
        signal,
        page: (request) => requests.page(bucket, request, signal),
      });
    },
    close: () => requests.close(),
  };
}

function mediaUrl(
  baseUrl: string,
  { bucket, name, generation }: { bucket: string; name: string; generation: string },
  { userProject }: GcsOptions,
): URL {
  const object = `${baseUrl}/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`;
  const url = new URL(`${object}?alt=media&generation=${encodeURIComponent(generation)}`);
  if (userProject !== undefined) url.searchParams.set('userProject', userProject);
  return url;
}

/**
 * Returns the path with the name that the object has in the bucket.
 * @throws what `stat` throws
 */
async function canonicalPath(
  path: string,
  stat: (bucket: string, name: string) => Promise<TraceStat>,
): Promise<string> {
  const { bucket, name, prefix } = splitBucket(path, '/o/', SHAPE);
  if (decodedName(name) === undefined) return path;
  return firstNamed(name, async (candidate) => {
    await stat(bucket, candidate);
    return prefix + candidate;
  });
}

/**
 * Calls `request` with the literal name and then, if no such object exists, with the URL-decoded name: addresses of
 * upstream Perfetto contain URL-encoded names. The literal name comes first so that every listed address leads back
 * to its object.
 */
async function firstNamed<Value>(
  name: string,
  request: (candidate: string) => Promise<Value>,
): Promise<Value> {
  const decoded = decodedName(name);
  if (!name.isWellFormed()) throw notFound();
  try {
    return await request(name);
  } catch (thrown) {
    if (decoded === undefined || asBigtraceError(thrown).code !== 'trace_not_found') throw thrown;
  }
  return request(decoded);
}

function pageOf({ items = [], nextPageToken }: ListReply): Page {
  const objects = items.map((item) => ({ name: item.name ?? '', ...statOf(item) }));
  return { objects, token: nextPageToken };
}

function statOf({ size, generation, timeCreated }: Metadata): TraceStat {
  const bytes = size === undefined ? undefined : Number(size);
  return {
    size: bytes,
    generation: withSize({ id: String(generation), size: bytes }),
    modifiedMs: timeCreated === undefined ? 0 : Date.parse(timeCreated),
  };
}
