/** HTTP requests with streamed responses, for `/http` and the downloads of `/gcs`. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { BigtraceError } from '../common/errors.ts';
import { httpAgent } from '../common/network/connect-timeout.ts';
import { aborted, changed, notFound, throwIfAborted, wrongLength } from './failures.ts';

const REASON_BYTES_MAX = 4096;

export interface HttpRequest {
  url: URL;
  method?: 'GET' | 'HEAD';
  headers?: http.OutgoingHttpHeaders;
  signal?: AbortSignal | undefined;
  /** Replaces the system's name lookup; it may refuse a host with an error. */
  lookup?: LookupFunction;
}

export interface HttpReply {
  status: number;
  statusText: string;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
}

/** The connections of a store, kept alive between requests. */
export class HttpClient {
  readonly #http = httpAgent({ isTls: false, keepAlive: true });
  readonly #https = httpAgent({ isTls: true, keepAlive: true });

  /** @throws store_failed if the connection fails; a reply with any status is returned */
  async request({ url, method = 'GET', headers, signal, lookup }: HttpRequest): Promise<HttpReply> {
    throwIfAborted(signal);
    const isTls = url.protocol === 'https:';
    const { request } = isTls ? https : http;
    const agent = isTls ? this.#https : this.#http;
    const options = { method, headers, agent, signal, ...(lookup === undefined ? {} : { lookup }) };
    return new Promise((resolve, reject) => {
      request(url, options, (body) =>
        resolve({
          status: body.statusCode ?? 0,
          statusText: body.statusMessage ?? '',
          headers: body.headers,
          body,
        }),
      )
        .on('error', (thrown) => reject(connectionError(thrown, signal)))
        .end();
    });
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

export function connectionError(thrown: unknown, signal: AbortSignal | undefined): BigtraceError {
  if (signal?.aborted) return aborted(signal);
  if (thrown instanceof BigtraceError) return thrown;
  const text = thrown instanceof Error && thrown.message !== '' ? thrown.message : codeOf(thrown);
  return new BigtraceError('store_failed', `the connection to the store failed: ${text}`, {
    cause: thrown,
  });
}

/** Returns the error's code: Node's AggregateError of failed connection attempts has an empty message. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
}

/** The parts of a response that `bodyBytes` needs. */
export interface StreamedBody {
  status: number;
  headers: { 'content-length'?: string | undefined; 'content-range'?: string | undefined };
  body: AsyncIterable<Uint8Array>;
}

export interface Wanted {
  /** Offset of the first wanted byte. */
  start: number;
  /** Bytes of the whole trace; if undefined, the length that the server announces is checked instead. */
  size: number | undefined;
  signal: AbortSignal | undefined;
}

/**
 * Yields the bytes from `start` to the end of the trace. A server that ignores the request's
 * `Range: bytes=<start>-` sends the whole trace; bytes before `start` are then skipped.
 * @throws store_failed if the range or the length of the response is wrong, or the connection fails
 */
export async function* bodyBytes(
  { status, headers, body }: StreamedBody,
  { start, size, signal }: Wanted,
): AsyncGenerator<Uint8Array, void, undefined> {
  const from = status === 206 ? rangeStart(headers['content-range']) : 0;
  if (from !== start && from !== 0)
    throw new BigtraceError(
      'store_failed',
      `the store sent the bytes from ${from} on, not from ${start}`,
    );
  const { 'content-length': length } = headers;
  const expected = size ?? (length === undefined ? undefined : from + Number(length));
  let at = from;
  try {
    for await (const chunk of body) {
      const unwanted = Math.max(0, start - at);
      at += chunk.length;
      if (unwanted < chunk.length) yield unwanted === 0 ? chunk : chunk.subarray(unwanted);
    }
  } catch (thrown) {
    throw connectionError(thrown, signal);
  }
  if (expected !== undefined && at !== expected) throw wrongLength(at, expected);
  if (at < start) throw wrongLength(at, start);
}

function rangeStart(contentRange: string | undefined): number {
  const match = /^bytes (\d+)-/.exec(contentRange ?? '');
  return match === null ? 0 : Number(match[1]);
}

/** Returns the first 4096 bytes of an error response's body. */
export async function shortText({ body }: HttpReply): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= REASON_BYTES_MAX) break;
    }
  } catch {
    // The connection broke; the bytes received so far are enough for a message.
  }
  return Buffer.concat(chunks).subarray(0, REASON_BYTES_MAX).toString();
}

/**
 * Translates an HTTP error status.
 * @param why the store's message; may be empty
 */
export function statusError(status: number, why: string): BigtraceError {
  const statusText = `${status}${why === '' ? '' : ` ${why}`}`;
  switch (status) {
    case 400:
      return new BigtraceError('invalid_address', `the store rejected the address: ${statusText}`);
    case 401:
      return new BigtraceError(
        'unauthenticated',
        `the store rejected the credentials: ${statusText}`,
      );
    case 403:
      return new BigtraceError('forbidden', `the store denied access to the trace: ${statusText}`);
    case 404:
    case 410:
      return notFound();
    case 412:
      return changed();
    default:
      return new BigtraceError('store_failed', `the store responded with ${statusText}`);
  }
}
