/** Makes an HTTP server listen. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BigtraceError } from '../errors.ts';
import { hostOf, portOf } from './host-port.ts';

/**
 * Resolves to the port on which the server listens.
 * @param socket host:port; port 0 chooses a free one
 * @throws invalid_option if it cannot listen
 */
export function listening(server: Server, socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new BigtraceError('invalid_option', `cannot listen on ${socket}: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(portOf(socket), hostOf(socket), () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}
