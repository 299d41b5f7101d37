/** A web server for files in memory, with ETags, ranges and If-Match as in RFC 9110. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, type RunningServer } from './listen.ts';

export interface FileServerStyle {
  etag: 'strong' | 'weak' | 'none';
  /** `false`: ranges are ignored; a number: the status of responses to a request for a range. */
  ranges: boolean | number;
  modified: boolean;
  /** The status of responses to HEAD if not 200; a URL signed for GET has 403. */
  headStatus: number;
  /** Whether responses to HEAD have no validators and the length 0. */
  headIsBare: boolean;
  length: boolean;
}

export const USUAL_STYLE: FileServerStyle = {
  etag: 'strong',
  ranges: true,
  modified: true,
  headStatus: 200,
  headIsBare: false,
  length: true,
};

export interface FileServer extends RunningServer {
  /** File contents by URL path and query, as encoded in the request. */
  files: Map<string, Uint8Array>;
  /** Which features the responses have; a test may change them. */
  style: FileServerStyle;
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, Uint8Array>();
  const style = { ...USUAL_STYLE };
  const modified = new Date().toUTCString();

  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const bytes = files.get(request.url ?? '');
    if (bytes === undefined) return void response.writeHead(404).end('<html>no such page</html>');
    if (request.method === 'HEAD' && style.headStatus !== 200)
      return void response.writeHead(style.headStatus).end();
    if (request.method === 'HEAD' && style.headIsBare)
      return void response.writeHead(200, { 'content-length': 0 }).end();
    if (request.headers.range !== undefined && typeof style.ranges === 'number')
      return void response.writeHead(style.ranges).end();
    const tag = `"${createHash('sha1').update(bytes).digest('hex')}"`;
    if (style.etag !== 'none') response.setHeader('etag', style.etag === 'weak' ? `W/${tag}` : tag);
    if (style.modified) response.setHeader('last-modified', modified);
    const { range, 'if-match': ifMatch } = request.headers;
    if (ifMatch !== undefined && ifMatch !== tag) return void response.writeHead(412).end();
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const isPart = style.ranges === true && range !== undefined;
    const body = isPart ? bytes.subarray(start) : bytes;
    if (isPart)
      response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(isPart ? 206 : 200, style.length ? { 'content-length': body.length } : {});
    response.end(request.method === 'HEAD' ? undefined : body);
  };

  return { ...(await listen(createServer(respond))), files, style };
}
