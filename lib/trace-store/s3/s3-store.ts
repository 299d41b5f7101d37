/** The store of `/s3/<bucket>/<key>` addresses: Amazon S3 and compatible servers. */
import { splitBucket } from '../bucket-path.ts';
import { notFound } from '../failures.ts';
import { bodyBytes } from '../http-request.ts';
import { listObjects } from '../object-list.ts';
import { splitSize } from '../sized-generation.ts';
import type { ReadOptions, TraceStore } from '../trace-store.ts';
import type { S3Options } from './open-s3.ts';
import { S3Requests } from './s3-requests.ts';

const SHAPE = '/s3/<bucket>/<key>';

export function s3Store(options: S3Options): TraceStore {
  const s3 = new S3Requests(options);
  return {
    name: 's3',
    async stat(path, signal) {
      const { bucket, name } = splitKey(path);
      return s3.head(bucket, name, signal);
    },
    async *read(path: string, { generation, start = 0, signal }: ReadOptions) {
      const { bucket, name } = splitKey(path);
      const { id, size } = splitSize(generation);
      if (start > 0 && start === size) return;
      const reply = await s3.get(bucket, name, { etag: id, start, signal });
      try {
        yield* bodyBytes(reply, { start, size, signal });
      } finally {
        reply.body.destroy();
      }
    },
    async *list(path, { after, signal } = {}) {
      const { bucket, name, prefix } = splitBucket(path, '/', SHAPE);
      yield* listObjects({
        pattern: name,
        bucketPath: prefix,
        after,
        signal,
        page: (request) => s3.page(bucket, request, signal),
      });
    },
    close: () => s3.close(),
  };
}

function splitKey(path: string): { bucket: string; name: string } {
  const split = splitBucket(path, '/', SHAPE);
  if (!split.name.isWellFormed()) throw notFound(); // keys are UTF-8
  return split;
}
