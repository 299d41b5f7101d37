/**
 * Encodes one cached result as a file: magic, a digest of all that follows, a header with the key, and the results.
 */
import { createHash, hash } from 'node:crypto';
import type { CachedResult } from './result-memory.ts';

/** Identifies the file type and the version of its format. */
const MAGIC = Buffer.from('bigtrace result 2\n');
/** BLAKE2b takes half the time of SHA-256. */
const DIGEST = 'blake2b512';
const DIGEST_BYTES = 64;
/** The header's length precedes it as a little-endian uint32. */
const LENGTH_BYTES = 4;
const BODY_AT = MAGIC.length + DIGEST_BYTES;

interface Header {
  /** Key of the trace, its generation, the engine version and the script. */
  key: string;
  rows: number;
  traceBytes?: number | undefined;
  /** Column names as latin1 text, one character per byte, and the bit set of their cell types. */
  columns?: [name: string, kinds: number][] | undefined;
  /** Size in bytes of each QueryResult, in order; their bytes follow the header without gaps. */
  sizes: number[];
}

/** The file is damaged, or holds the result of another key. */
export class ResultUnusable extends Error {}

export function encodeResult(key: string, result: CachedResult): Buffer[] {
  const { results, rows, traceBytes, columns } = result;
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

/** @throws ResultUnusable if the file is damaged or has another format or key */
export function decodeResult(file: Buffer, key: string): CachedResult {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new ResultUnusable('it is not a result');
  const body = file.subarray(BODY_AT);
  if (!hash(DIGEST, body, 'buffer').equals(file.subarray(MAGIC.length, BODY_AT)))
    throw new ResultUnusable('its digest is wrong');
  const resultsAt = LENGTH_BYTES + body.readUInt32LE(0);
  const header = JSON.parse(body.toString('utf8', LENGTH_BYTES, resultsAt)) as Header;
  if (header.key !== key) throw new ResultUnusable('it is the result of another script or trace');
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
