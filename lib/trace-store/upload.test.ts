import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { openUpload } from './open-upload.ts';

test.each(['gcs', 's3'] as const)(
  'an upload to %s of a file that was removed has the error of the system',
  async (store) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
    const server = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = {
      gcs: { endpoint, anonymous: true },
      s3: { endpoint, region: 'us-east-1', pathStyle: true },
    };
    const upload = openUpload({ store, bucket: 'b' }, options);
    try {
      const put = upload.put('a', '/none/a', {
        replace: false,
        signal: new AbortController().signal,
      });
      await expect(put).rejects.toMatchObject({ code: 'ENOENT' });
    } finally {
      upload.close();
      server.close();
      vi.unstubAllEnvs();
    }
  },
);
