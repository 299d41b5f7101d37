/** Uploads files to a bucket of S3. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Upload } from '../upload.ts';
import { openS3, type S3, type S3Options } from './open-s3.ts';
import { s3Error } from './s3-error.ts';

export function uploadToS3(bucket: string, options: S3Options): Upload {
  let opened: Promise<S3> | undefined;
  const put: Upload['put'] = async (key, path, { replace, signal }) => {
    opened ??= openS3(options);
    const { client, library } = await opened;
    if (!replace && (await exists(await opened, bucket, key, signal))) return;
    const { size } = await stat(path);
    const body = createReadStream(path);
    const unreadable = new AbortController();
    body.on('error', (error) => unreadable.abort(error)); // without a listener, it would end the process
    try {
      const command = new library.PutObjectCommand({
        ...{ Bucket: bucket, Key: key, IfNoneMatch: replace ? undefined : '*' },
        ...{ Body: body, ContentLength: size },
      });
      await client.send(command, { abortSignal: AbortSignal.any([signal, unreadable.signal]) });
    } catch (thrown) {
      if (statusOf(thrown) !== 412) throw s3Error(thrown, signal); // another worker has written it
    } finally {
      body.destroy();
    }
  };
  const close = (): void =>
    void opened?.then(
      ({ client }) => client.destroy(),
      () => undefined,
    );
  return { put, close };
}

/** A server may answer a conditional upload before it has read the body, which looks like a broken connection. */
async function exists(
  { client, library }: S3,
  Bucket: string,
  Key: string,
  abortSignal: AbortSignal,
): Promise<boolean> {
  try {
    await client.send(new library.HeadObjectCommand({ Bucket, Key }), { abortSignal });
    return true;
  } catch (thrown) {
    if (statusOf(thrown) === 404) return false;
    throw s3Error(thrown, abortSignal);
  }
}

function statusOf(thrown: unknown): number | undefined {
  return (thrown as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
