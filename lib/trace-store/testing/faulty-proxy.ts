/** An HTTP proxy in front of a real store that injects the faults of networks and stores. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listen, type RunningServer } from './listen.ts';

/** The fault that the proxy injects into one request. */
export type Fault =
  /** Responds with this status without contacting the store. */
  | { kind: 'status'; status: number; body?: string; headers?: Record<string, string> }
  /** Resets the connection after this many bytes of the body. */
  | { kind: 'reset'; afterBytes: number }
  /** Sends nothing more after this many bytes of the body; the connection stays open. */
  | { kind: 'stall'; afterBytes: number }
  /** Sends one byte at a time, with a pause of this many ms after each. */
  | { kind: 'drip'; everyMs: number }
  /** Sends a well-formed response without the last bytes of the body. */
  | { kind: 'cut'; missingBytes: number };

export interface FaultyProxy extends RunningServer {
  /** Faults for the next requests, one each; later requests have no fault. */
  faults: Fault[];
  /** The fault of every request; takes precedence over `faults`. */
  always: Fault | undefined;
  /** The requests so far, such as `GET bytes=5-` or `HEAD`. */
  requests: string[];
  /** The authorization header of each request; undefined if there was none. */
  authorizations: (string | undefined)[];
  /** Called before each request that is passed on. */
  before: (() => Promise<void>) | undefined;
}

export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const proxy = {
    faults: [],
    always: undefined,
    requests: [],
    authorizations: [],
    before: undefined,
  } as Omit<FaultyProxy, keyof RunningServer>;
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { range, authorization } = incoming.headers;
    proxy.authorizations.push(authorization);
    proxy.requests.push(`${incoming.method}${range === undefined ? '' : ` ${range}`}`);
    const fault = proxy.always ?? proxy.faults.shift();
    if (fault?.kind === 'status') {
      incoming.resume();
      outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    await proxy.before?.();
    const response = await passOn(upstream, incoming);
    await passBack(response, outgoing, fault);
  };
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  return Object.assign(proxy, await listen(server));
}

/** Sends the request to the store with all headers unchanged, including Host, which S3 signatures cover. */
async function passOn(upstream: string, incoming: IncomingMessage): Promise<IncomingMessage> {
  const { method, url, headers } = incoming;
  const passed = request(`http://${upstream}`, { method, path: url, headers, agent: false });
  incoming.pipe(passed);
  const [response] = (await once(passed, 'response')) as [IncomingMessage];
  return response;
}

async function passBack(
  response: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const headers = { ...response.headers };
  const length = Number(headers['content-length']);
  if (fault?.kind === 'cut') headers['content-length'] = String(length - fault.missingBytes);
  outgoing.writeHead(response.statusCode ?? 502, headers);
  outgoing.flushHeaders();
  let left = bytesPassed(fault, length);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (fault?.kind === 'drip') await drip(part, outgoing, fault.everyMs);
    else if (part.length > 0 && !outgoing.write(part)) await once(outgoing, 'drain');
    if (left > 0 || fault === undefined || outgoing.destroyed) continue;
    if (fault.kind === 'stall') return;
    if (fault.kind === 'reset') return void outgoing.socket?.resetAndDestroy();
    break;
  }
  outgoing.end();
}

function bytesPassed(fault: Fault | undefined, length: number): number {
  if (fault?.kind === 'reset' || fault?.kind === 'stall') return fault.afterBytes;
  return fault?.kind === 'cut' ? length - fault.missingBytes : Number.POSITIVE_INFINITY;
}

async function drip(bytes: Buffer, outgoing: ServerResponse, everyMs: number): Promise<void> {
  for (const byte of bytes) {
    if (outgoing.destroyed) return;
    outgoing.write(Buffer.of(byte));
    await delay(everyMs);
  }
}
