/** One remembered answer as a file: a digest over all that follows, what it is the answer to, its results. */
import { createHash, hash } from 'node:crypto';
import type { CachedResult } from './result-memory.ts';

/** Says what kind of file it is; another format will have another one. */
const MAGIC = Buffer.from('bigtrace result 2\n');
/** Half the time of SHA-256. */
const DIGEST = 'blake2b512';
const DIGEST_BYTES = 64;
const LENGTH_BYTES = 4;
const BODY_AT = MAGIC.length + DIGEST_BYTES;

interface Header {
  /** Of the trace, its generation, the engine and the script. */
  key: string;
  rows: number;
  traceBytes?: number | undefined;
  /** Names as latin1, one character a byte. */
  columns?: [name: string, kinds: number][] | undefined;
  /** Bytes of each result; they follow one another. */
  sizes: number[];
}

export class ResultUnusable extends Error {}

export function encodeResult(key: string, answer: CachedResult): Buffer[] {
  const { results, rows, traceBytes, columns } = answer;
  const header: Header = {
    ...{ key, rows, traceBytes, sizes: results.map(({ length }) => length) },
    columns: columns?.map(({ name, kinds }) => [Buffer.from(name).toString('latin1'), kinds]),
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  const body = [length, text, ...results];
  const digest = createHash(DIGEST);
  for (const piece of body) digest.update(piece);
  return [MAGIC, digest.digest(), ...body];
}

/** @throws ResultUnusable where the file is damaged, or of something else */
export function decodeResult(file: Buffer, key: string): CachedResult {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new ResultUnusable('it is no result');
  const body = file.subarray(BODY_AT);
  if (!hash(DIGEST, body, 'buffer').equals(file.subarray(MAGIC.length, BODY_AT)))
    throw new ResultUnusable('its digest is wrong');
  const resultsAt = LENGTH_BYTES + body.readUInt32LE(0);
  const header = JSON.parse(body.toString('utf8', LENGTH_BYTES, resultsAt)) as Header;
  if (header.key !== key) throw new ResultUnusable('it answers something else');
  let at = resultsAt;
  const results = header.sizes.map((size) => {
    const from = at;
    at += size;
    return body.subarray(from, at);
  });
  const { rows, traceBytes } = header;
  const columns = header.columns?.map(([name, kinds]) => ({
    ...{ name: Buffer.from(name, 'latin1'), kinds },
  }));
  return { results, resultBytes: at - resultsAt, rows, traceBytes, columns };
}
