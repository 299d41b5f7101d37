/** The three S3 requests that the store needs. All of them throw BigtraceError. */
import type { Readable } from 'node:stream';
import { asBigtraceError } from '../../common/errors.ts';
import { interruptible, throwIfAborted } from '../failures.ts';
import type { StreamedBody } from '../http-request.ts';
import type { Page, PageRequest } from '../object-list.ts';
import { withSize } from '../sized-generation.ts';
import type { TraceStat } from '../trace-store.ts';
import { KeyEncoding } from './key-encoding.ts';
import { openS3, type S3, type S3Options } from './open-s3.ts';
import { isUnexplained, s3Error } from './s3-error.ts';

export interface PinnedRange {
  etag: string;
  start: number;
  signal: AbortSignal | undefined;
}

export class S3Requests {
  readonly #options: S3Options;
  readonly #payer: { RequestPayer?: 'requester' };
  readonly #keys = new KeyEncoding();
  #opened: Promise<S3> | undefined;

  constructor(options: S3Options) {
    this.#options = options;
    this.#payer = options.requesterPays ? { RequestPayer: 'requester' } : {};
  }

  async head(Bucket: string, Key: string, signal: AbortSignal | undefined): Promise<TraceStat> {
    return this.#send(signal, async ({ client, library }, options) => {
      try {
        const head = await client.send(
          new library.HeadObjectCommand({ Bucket, Key, ...this.#payer }),
          options,
        );
        return statOf(head.ETag, head.ContentLength, head.LastModified);
      } catch (thrown) {
        if (isUnexplained(thrown)) {
          // A response to HEAD has no body with the reason; a GET fails in the same way and returns the reason.
          const range = new library.GetObjectCommand({
            ...{ Bucket, Key, Range: 'bytes=0-0' },
            ...this.#payer,
          });
          const { Body } = await client.send(range, options);
          (Body as Readable).destroy();
        }
        throw thrown;
      }
    });
  }

  async get(
    Bucket: string,
    Key: string,
    { etag, start, signal }: PinnedRange,
  ): Promise<StreamedBody & { body: Readable }> {
    return this.#send(signal, async ({ client, library }, options) => {
      const Range = start === 0 ? undefined : `bytes=${start}-`;
      const command = new library.GetObjectCommand({
        ...{ Bucket, Key, IfMatch: etag, Range },
        ...this.#payer,
      });
      const { $metadata, ContentLength, ContentRange, Body } = await client.send(command, options);
      return {
        status: $metadata.httpStatusCode ?? 200,
        headers: { 'content-length': ContentLength?.toString(), 'content-range': ContentRange },
        body: Body as Readable, // always a Readable in Node
      };
    });
  }

  async page(
    Bucket: string,
    { prefix: Prefix, after: StartAfter, token: ContinuationToken }: PageRequest,
    signal: AbortSignal | undefined,
  ): Promise<Page> {
    return this.#send(signal, async ({ client, library }, options) => {
      const command = new library.ListObjectsV2Command({
        Bucket,
        Prefix,
        StartAfter,
        ContinuationToken,
        EncodingType: 'url', // XML cannot represent every character of a key
        ...this.#payer,
      });
      const response = await client.send(command, options);
      const isEncoded = response.EncodingType === 'url';
      const objects = [];
      for (const { Key = '', ETag, Size, LastModified } of response.Contents ?? []) {
        const stat = statOf(ETag, Size, LastModified);
        const name = isEncoded
          ? await this.#keys.decode(Key, (key) => this.#has(Bucket, key, stat, signal))
          : Key;
        objects.push({ name, ...stat });
      }
      return { objects, token: response.IsTruncated ? response.NextContinuationToken : undefined };
    });
  }

  /** Returns whether the bucket contains the listed object under this key. */
  async #has(
    bucket: string,
    key: string,
    listed: TraceStat,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    try {
      return (await this.head(bucket, key, signal)).generation === listed.generation;
    } catch (thrown) {
      const { code } = asBigtraceError(thrown);
      if (code === 'trace_not_found' || code === 'invalid_address') return false;
      throw thrown;
    }
  }

  close(): void {
    this.#opened?.then(({ client }) => client.destroy()).catch(() => undefined);
  }

  async #send<Value>(
    signal: AbortSignal | undefined,
    send: (s3: S3, options: { abortSignal?: AbortSignal }) => Promise<Value>,
  ): Promise<Value> {
    throwIfAborted(signal);
    this.#opened ??= openS3(this.#options);
    try {
      const s3 = await this.#opened;
      // `interruptible`, because the SDK ignores the signal while it looks for credentials.
      return await interruptible(
        send(s3, signal === undefined ? {} : { abortSignal: signal }),
        signal,
      );
    } catch (thrown) {
      throw s3Error(thrown, signal);
    }
  }
}

/** Uses only ETag and size as generation: a listing has no versions, and must return the same generation as `stat`. */
function statOf(etag = '', size: number | undefined, modified: Date | undefined): TraceStat {
  return {
    size,
    generation: withSize({ id: etag, size }),
    modifiedMs: modified?.getTime() ?? 0,
  };
}
