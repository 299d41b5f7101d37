/** An HTTP proxy in front of a real store, that fails in the ways that networks and stores fail. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listen, type RunningServer } from './listen.ts';

/** What happens to one request. */
export type Fault =
  /** The store is not asked. */
  | { kind: 'status'; status: number; body?: string; headers?: Record<string, string> }
  /** The connection is reset once so many bytes of the body have passed. */
  | { kind: 'reset'; afterBytes: number }
  /** Nothing more comes, and the connection stays. */
  | { kind: 'stall'; afterBytes: number }
  /** One byte at a time. */
  | { kind: 'drip'; everyMs: number }
  /** A well-formed answer that lacks the last bytes. */
  | { kind: 'cut'; missingBytes: number };

export interface FaultyProxy extends RunningServer {
  /** For the next requests, one each; then all goes well. */
  faults: Fault[];
  /** For every request; goes before `faults`. */
  always: Fault | undefined;
  /** What was asked, as `GET bytes=5-` or `HEAD`. */
  asked: string[];
  /** The header of each, where it was there. */
  authorizations: (string | undefined)[];
  /** Runs before a request is passed on. */
  before: (() => Promise<void>) | undefined;
}

export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const proxy = {
    faults: [],
    always: undefined,
    asked: [],
    authorizations: [],
    before: undefined,
  } as Omit<FaultyProxy, keyof RunningServer>;
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { range, authorization } = incoming.headers;
    proxy.authorizations.push(authorization);
    proxy.asked.push(`${incoming.method}${range === undefined ? '' : ` ${range}`}`);
    const fault = proxy.always ?? proxy.faults.shift();
    if (fault?.kind === 'status') {
      incoming.resume();
      outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    await proxy.before?.();
    const answer = await passOn(upstream, incoming);
    await passBack(answer, outgoing, fault);
  };
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  return Object.assign(proxy, await listen(server));
}

/** With the headers as they are, the host's too: signatures cover it. */
async function passOn(upstream: string, incoming: IncomingMessage): Promise<IncomingMessage> {
  const { method, url, headers } = incoming;
  const passed = request(`http://${upstream}`, { method, path: url, headers, agent: false });
  incoming.pipe(passed);
  const [answer] = (await once(passed, 'response')) as [IncomingMessage];
  return answer;
}

async function passBack(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const headers = { ...answer.headers };
  const length = Number(headers['content-length']);
  if (fault?.kind === 'cut') headers['content-length'] = String(length - fault.missingBytes);
  outgoing.writeHead(answer.statusCode ?? 502, headers);
  outgoing.flushHeaders();
  let left = bytesPassed(fault, length);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
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
