/** Serves the bytes of one trace to the Perfetto UI: `/trace/<base64url of its address>/<its name>`. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { signalOf } from '../caller.ts';
import { ByTrace, ErrorResponse } from '../contract/page.ts';
import { HttpError } from '../http-error.ts';
import type { QueryWatch } from '../watch.ts';
import { typed } from './api.ts';
import { type ByteRange, byteRange } from './byte-range.ts';

const content = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
const schema = {
  params: ByTrace,
  response: {
    200: { description: 'the bytes of the trace', content },
    206: { description: 'a range of them', content },
    '4xx': ErrorResponse,
    '5xx': ErrorResponse,
  },
};

export function addTraceRoute(app: FastifyInstance, watch: QueryWatch): void {
  const api = typed(app);
  const url = '/trace/:id/:name';
  // Fastify's own HEAD routes state a length of 0.
  const handler = sender(watch);
  api.head(url, { schema: { ...schema, hide: true } }, handler);
  api.get(url, { schema, exposeHeadRoute: false }, handler);
}

type TraceRequest = FastifyRequest<{ Params: Static<typeof ByTrace> }>;

function sender(watch: QueryWatch) {
  return async (request: TraceRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const trace = await watch.openTrace(addressOf(request.params.id), signalOf(reply));
    const { size, generation } = trace;
    const etag = `"${createHash('sha256').update(generation).digest('base64url').slice(0, 22)}"`;
    // If the store does not report a size, ranges are ignored and the whole trace is sent in chunks.
    const { range: rangeHeader, 'if-range': onlyOf = etag } = request.headers;
    const range = size > 0 && onlyOf === etag ? byteRange(rangeHeader, size) : undefined;
    if (range === 'unsatisfiable') {
      reply.header('Content-Range', `bytes */${size}`);
      throw new HttpError(416, `range ${rangeHeader} is outside of the trace's ${size} bytes`);
    }
    const { from, to }: ByteRange = range ?? { from: 0, to: size };
    const isHead = request.method === 'HEAD' && size > 0;
    const body = isHead ? undefined : await withFirstChunk(trace.read(from, to - from));
    reply.headers({
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(request.params.name)}`,
      ETag: etag,
      ...(size > 0 ? { 'Accept-Ranges': 'bytes', 'Content-Length': to - from } : {}),
    });
    if (range !== undefined)
      reply.code(206).header('Content-Range', `bytes ${from}-${to - 1}/${size}`);
    return reply.send(body && Readable.from(body, { objectMode: false }));
  };
}

/** Reads the first chunk before the response begins, so that an early failure becomes an error response. */
export async function withFirstChunk(
  chunks: AsyncIterable<Buffer>,
): Promise<AsyncIterable<Buffer>> {
  const reading = chunks[Symbol.asyncIterator]();
  let next = await reading.next();
  return (async function* () {
    try {
      for (; next.done !== true; next = await reading.next()) yield next.value;
    } finally {
      await reading.return?.();
    }
  })();
}

/** @throws HttpError 404 if the ID is not base64url */
function addressOf(id: string): string {
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length === 0 || bytes.toString('base64url') !== id)
    throw new HttpError(404, `there is no trace ${id}`);
  return textFromBytes(bytes);
}
