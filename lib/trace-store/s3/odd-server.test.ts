/** Tests of `/s3` against a fake server with unusual key encodings and a requester-pays bucket. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listen, type RunningServer } from '../testing/listen.ts';
import type { TraceStore } from '../trace-store.ts';
import { s3Store } from './s3-store.ts';

const KEYS = ['plain.json', 'a b+c.json', '100%.json', 'x+y%2Bz', 'größe 1+1.json'];

let server: RunningServer;
let encode: (key: string) => string;
let needsPayer = false;

function respond(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://server');
  if (needsPayer && request.headers['x-amz-request-payer'] !== 'requester')
    return void response.writeHead(403).end();
  if (url.searchParams.get('list-type') === '2') {
    const contents = KEYS.map(
      (key) =>
        `<Contents><Key>${encode(key)}</Key><ETag>"${KEYS.indexOf(key)}"</ETag><Size>5</Size></Contents>`,
    );
    return void response.end(
      `<ListBucketResult><EncodingType>url</EncodingType>${contents.join('')}</ListBucketResult>`,
    );
  }
  const at = KEYS.indexOf(decodeURIComponent(url.pathname.slice('/bucket/'.length)));
  if (at < 0) return void response.writeHead(404).end();
  response.writeHead(200, { etag: `"${at}"`, 'content-length': 5 });
  response.end(request.method === 'HEAD' ? undefined : 'bytes');
}

beforeAll(async () => {
  server = await listen(createServer(respond));
});
beforeEach(() => {
  needsPayer = false;
});
afterAll(() => server.close());

function store(requesterPays = false): TraceStore {
  return s3Store({
    ...{ region: 'r', endpoint: `http://${server.host}`, pathStyle: true, anonymous: true },
    requesterPays,
  });
}

async function listed(one: TraceStore): Promise<string[]> {
  const paths: string[] = [];
  for await (const batch of one.list('bucket/**')) paths.push(...batch.map(({ path }) => path));
  return paths.toSorted();
}

test.each([
  ['as Amazon does', (key: string) => encodeURIComponent(key).replaceAll('%20', '+')],
  ['with a plus that is one', (key: string) => encodeURIComponent(key).replaceAll('%2B', '+')],
  ['not at all', (key: string) => key],
])('keys are encoded %s', async (_, encoding) => {
  encode = encoding;
  const one = store();
  const paths = await listed(one);
  expect(paths).toEqual(KEYS.map((key) => `bucket/${key}`).toSorted());
  for (const path of paths) {
    const { generation } = await one.stat(path);
    const chunks: Uint8Array[] = [];
    for await (const chunk of one.read(path, { generation })) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('bytes');
  }
  one.close?.();
});

test('a requester-pays bucket is listed only with requesterPays', async () => {
  encode = encodeURIComponent;
  needsPayer = true;
  await expect(listed(store())).rejects.toThrow(/403|refuses/);
  expect(await listed(store(true))).toHaveLength(KEYS.length);
});
