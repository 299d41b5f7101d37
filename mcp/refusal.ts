/** The answer to a request that reaches no session. */
import type { ServerResponse } from 'node:http';

export function refuse(
  response: ServerResponse,
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify({ detail }));
}
