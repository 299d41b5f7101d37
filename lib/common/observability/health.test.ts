import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addHealth } from './health.ts';

type Response = { status: string };

let server: grpc.Server;
let notServing: () => void;
/** A client of the package `grpc-health-check`. */
let client: InstanceType<grpc.ServiceClientConstructor>;

beforeEach(async () => {
  server = new grpc.Server();
  notServing = addHealth(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  client = new (grpc.makeClientConstructor(service, 'health'))(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  );
});

afterEach(() => {
  client.close();
  server.forceShutdown();
});

function statusOf(name: string): Promise<string | undefined> {
  return new Promise((resolve) =>
    client['Check']?.({ service: name }, (error: grpc.ServiceError | null, response?: Response) =>
      resolve(error === null ? response?.status : grpc.status[error.code]),
    ),
  );
}

it('the health service reports SERVING, and NOT_SERVING while the service drains', async () => {
  expect(await statusOf('')).toBe('SERVING');
  expect(await statusOf('no.such.Service')).toBe('NOT_FOUND');
  notServing();
  expect(await statusOf('')).toBe('NOT_SERVING');
});

it('who watches gets the change', async () => {
  const watch: grpc.ClientReadableStream<Response> = client['Watch']?.({ service: '' });
  watch.on('error', () => {}); // the end of the server
  expect(await once(watch, 'data')).toEqual([{ status: 'SERVING' }]);
  notServing();
  expect(await once(watch, 'data')).toEqual([{ status: 'NOT_SERVING' }]);
});

it('who watches an unknown service learns that it is unknown, and stays connected', async () => {
  const watch: grpc.ClientReadableStream<Response> = client['Watch']?.({ service: 'no.such' });
  watch.on('error', () => {});
  expect(await once(watch, 'data')).toEqual([{ status: 'SERVICE_UNKNOWN' }]);
  notServing();
  expect(await statusOf('')).toBe('NOT_SERVING');
  watch.cancel();
  await once(watch, 'error');
});

it('the list has the server as a whole', async () => {
  const listed = new Promise((resolve) =>
    client['List']?.({}, (_error: unknown, response: unknown) => resolve(response)),
  );
  expect(await listed).toEqual({ statuses: { '': { status: 'SERVING' } } });
});
