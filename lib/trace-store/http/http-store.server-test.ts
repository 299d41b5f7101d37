import { Storage } from '@google-cloud/storage';
import { storeContract } from '../testing/contract.ts';
import { BUCKET, startGcs } from '../testing/real-servers.ts';
import { httpStore } from './http-store.ts';

const encoded = (name: string): string => name.split('/').map(encodeURIComponent).join('/');

/** fake-gcs-server also serves its objects as plain files: a web server that this project did not write. */
storeContract('http, over the web server of another project', {
  lists: false,
  async open() {
    const server = await startGcs();
    const bucket = new Storage({ projectId: 'test', apiEndpoint: `http://${server.host}` }).bucket(
      BUCKET,
    );
    return {
      store: httpStore('http', { hosts: [server.host], allowPrivate: true }),
      pathOf: (name) => `${server.host}/${BUCKET}/${encoded(name)}`,
      put: async (name, bytes) => {
        await bucket.file(name).save(Buffer.from(bytes), { resumable: false, validation: false });
      },
      close: () => server.close(),
    };
  },
});
