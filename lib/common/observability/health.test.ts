import * as grpc from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { expect, it } from 'vitest';
import { addHealth } from './health.ts';

it('the health service reports SERVING, and NOT_SERVING while the service drains', async () => {
  const server = new grpc.Server();
  const notServing = addHealth(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = new (grpc.makeClientConstructor(service, 'health'))(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  );
  const statusOf = (name: string): Promise<string | undefined> =>
    new Promise((resolve) =>
      client['Check']?.(
        { service: name },
        (error: grpc.ServiceError | null, response?: { status: string }) =>
          resolve(error === null ? response?.status : grpc.status[error.code]),
      ),
    );
  expect(await statusOf('')).toBe('SERVING');
  expect(await statusOf('no.such.Service')).toBe('NOT_FOUND');
  notServing();
  expect(await statusOf('')).toBe('NOT_SERVING');
  client.close();
  server.forceShutdown();
});
