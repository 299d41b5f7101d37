/** A registry of images on loopback, from which Docker pulls; each image is made of layers, and has a variant per processor. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files of uncompressed layers, by processor; the first layer is the lowest. */
export type Image = Partial<Record<'amd64' | 'arm64', { layers: string[]; config?: object }>>;

const TYPE = 'application/vnd.oci.image';

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Serves images, `NAME:latest`; returns the registry's address. */
export async function serveImages(
  images: Record<string, Image>,
): Promise<AsyncDisposable & { address: string }> {
  const blobs = new Map<string, Buffer | string>();
  const manifests = new Map<string, { type: string; bytes: Buffer }>();

  const layerOf = (file: string): Descriptor => {
    const digest = digestOf(readFileSync(file));
    blobs.set(digest, file);
    return { mediaType: `${TYPE}.layer.v1.tar`, digest, size: statSync(file).size };
  };
  const add = (kind: 'config' | 'manifest' | 'index', value: object): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(value));
    const type = `${TYPE}.${kind}.v1+json`;
    const digest = digestOf(bytes);
    if (kind === 'config') blobs.set(digest, bytes);
    else manifests.set(digest, { type, bytes });
    return { mediaType: type, digest, size: bytes.length };
  };
  for (const [name, variants] of Object.entries(images)) {
    const described = Object.entries(variants).map(([architecture, { layers: files, config }]) => {
      const layers = files.map(layerOf);
      const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
      const platform = { architecture, os: 'linux' };
      const about = add('config', { ...platform, config: config ?? {}, rootfs });
      const mediaType = `${TYPE}.manifest.v1+json`;
      const manifest = add('manifest', { schemaVersion: 2, mediaType, config: about, layers });
      return { ...manifest, platform };
    });
    const mediaType = `${TYPE}.index.v1+json`;
    const { digest } = add('index', { schemaVersion: 2, mediaType, manifests: described });
    const index = manifests.get(digest);
    if (index !== undefined) manifests.set(`${name}:latest`, index);
  }

  const answer = (path: string, withBody: boolean, response: ServerResponse): void => {
    const [, name, kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(path) ?? [];
    const manifest =
      kind === 'manifests'
        ? (manifests.get(reference) ?? manifests.get(`${name}:${reference}`))
        : undefined;
    const content = manifest?.bytes ?? (kind === 'blobs' ? blobs.get(reference) : undefined);
    if (content === undefined) {
      response.writeHead(path === '/v2/' ? 200 : 404).end();
      return;
    }
    const length = typeof content === 'string' ? statSync(content).size : content.length;
    response.writeHead(200, {
      'content-type': manifest?.type ?? 'application/octet-stream',
      'content-length': length,
      'docker-content-digest': manifest === undefined ? reference : digestOf(manifest.bytes),
    });
    if (!withBody) response.end();
    else if (typeof content === 'string') createReadStream(content).pipe(response);
    else response.end(content);
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '', request.method === 'GET', response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
