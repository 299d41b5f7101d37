/**
 * Limits on the shape of a JSON body, checked before it is parsed. A megabyte of brackets or member names parses to
 * millions of objects, and the server handles no other request meanwhile.
 */
import type { FastifyInstance } from 'fastify';
import { badRequest } from './http-error.ts';

const DEPTH_MAX = 32;
/**
 * Bound on commas and colons, which count values and member names. The filters of a request need a few thousand at
 * most.
 */
const PARTS_MAX = 100_000;

const code = (char: string): number => char.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code('\\');
const COMMA = code(',');
const COLON = code(':');
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = ['[', ']', '{', '}'].map(code);

/**
 * Checks the nesting depth and the number of values in one pass over the text.
 * @throws invalid_option naming the exceeded bound
 */
function checkJsonShape(text: string): void {
  let [depth, parts] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) at = endOfString(text, at);
    else if (char === COMMA || char === COLON) parts += 1;
    else if (char === OPEN_ARRAY || char === OPEN_OBJECT) depth += 1;
    else if (char === CLOSE_ARRAY || char === CLOSE_OBJECT) depth -= 1;
    if (depth > DEPTH_MAX)
      throw badRequest(`the body is nested more than ${DEPTH_MAX} levels deep, which is the bound`);
    if (parts > PARTS_MAX)
      throw badRequest(`the body has more than ${PARTS_MAX} values and names, which is the bound`);
  }
}

function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at += 1;
  }
  return text.length;
}

export function addJsonParser(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined); // the page sends DELETE with this type and without a body
    try {
      checkJsonShape(String(body));
    } catch (refused) {
      return done(refused as Error);
    }
    return parse(request, String(body), done);
  });
}
