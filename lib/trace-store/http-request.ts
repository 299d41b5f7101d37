/** One HTTP request whose answer streams: the ground that /http and the downloads of /gcs stand on. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { BigtraceError } from '../common/errors.ts';
import { aborted, changed, notFound, throwIfAborted, wrongLength } from './failures.ts';

const REASON_BYTES_MAX = 4096;

export interface HttpRequest {
  url: URL;
  method?: 'GET' | 'HEAD';
  headers?: http.OutgoingHttpHeaders;
  signal?: AbortSignal | undefined;
  /** Instead of the system's; it may refuse. */
  lookup?: LookupFunction;
}

export interface HttpReply {
  status: number;
  statusText: string;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
}

/** Connections of a store, kept alive between its requests. */
export class HttpClient {
  readonly #http = new http.Agent({ keepAlive: true });
  readonly #https = new https.Agent({ keepAlive: true });

  /** @throws store_failed where nothing answers; any status is an answer */
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

/** Node's happy-eyeballs error has no message of its own (AggregateError). */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
}

/** An answer as far as its bytes go. */
export interface StreamedBody {
  status: number;
  headers: { 'content-length'?: string | undefined; 'content-range'?: string | undefined };
  body: AsyncIterable<Uint8Array>;
}

export interface Wanted {
  /** Of the first byte wanted. */
  start: number;
  /** Of the whole trace, where it is known; else what the server says must be true. */
  size: number | undefined;
  signal: AbortSignal | undefined;
}

/**
 * The bytes of an answer to `Range: bytes=<start>-`, or to none where `start` is 0, to the last one. A
 * server may send all of them all the same: those before `start` are passed over.
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

/** The first bytes of an answer that says why it is a refusal. */
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
    // The connection broke while it was saying why; what came is enough.
  }
  return Buffer.concat(chunks).subarray(0, REASON_BYTES_MAX).toString();
}

/** What a status that is no success means. @param why the store's own words */
export function statusError(status: number, why: string): BigtraceError {
  const said = `${status}${why === '' ? '' : ` ${why}`}`;
  switch (status) {
    case 400:
      return new BigtraceError('invalid_address', `the store cannot take the address: ${said}`);
    case 401:
      return new BigtraceError(
        'unauthenticated',
        `the store does not take the credentials: ${said}`,
      );
    case 403:
      return new BigtraceError('forbidden', `the store refuses to let the trace be read: ${said}`);
    case 404:
    case 410:
      return notFound();
    case 412:
      return changed();
    default:
      return new BigtraceError('store_failed', `the store answered ${said}`);
  }
}
