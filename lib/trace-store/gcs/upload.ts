/** Uploads files to a bucket of Google Cloud Storage. */
import { stat } from 'node:fs/promises';
import type { Storage } from '@google-cloud/storage';
import { interruptible } from '../failures.ts';
import type { Upload } from '../upload.ts';
import { gcsError } from './gcs-error.ts';
import { type GcsOptions, openStorage } from './open-storage.ts';

export function uploadToGcs(bucket: string, options: GcsOptions): Upload {
  let opened: Promise<Storage> | undefined;
  const put: Upload['put'] = async (name, path, { replace, signal }) => {
    opened ??= openStorage(options, { writes: true }).catch((thrown) => {
      opened = undefined; // the next call tries again: credentials may exist by then
      throw thrown;
    });
    await stat(path);
    try {
      const uploading = (await opened).bucket(bucket).upload(path, {
        ...{ destination: name, resumable: false, validation: 'crc32c' },
        preconditionOpts: replace ? {} : { ifGenerationMatch: 0 },
      });
      uploading.catch(() => undefined); // it may fail after it was interrupted
      await interruptible(uploading, signal);
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code !== 412) throw gcsError(thrown);
    }
  };
  return { put, close: () => undefined };
}
