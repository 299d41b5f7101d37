/**
 * Decides whether the embedded engine's user `default` may log in. The engine starts with a session of `default`, which
 * opens the listeners; for its authentication it sends a request here (embedded/gatekeeper.xml). The
 * first request is accepted. All later ones come from outside and are rejected.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @returns a secret URL that only the engine receives */
export async function startGatekeeper(): Promise<string> {
  const path = `/${randomBytes(18).toString('base64url')}`;
  let isOpen = true;
  const server = createServer((request, response) => {
    const letIn = isOpen && request.url === path;
    if (letIn) isOpen = false;
    response.writeHead(letIn ? 200 : 403, { connection: 'close' }).end('{}');
  });
  await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}
