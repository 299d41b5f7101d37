/** Ten recorded traces and copies of them with zstd-compressed packets give the same results. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQueries } from '../../../test/baseline/queries.ts';
import { CORPUS, corpusTraces } from '../../../test/corpus/index.ts';
import { bytesFromText } from '../../common/text/byte-text.ts';
import { testEngine } from '../testing.ts';
import { chunked, type ReadTrace, readTrace, zstdTwin } from './testing.ts';

const engine = await testEngine();
const queries = readQueries(join(import.meta.dirname, '../../../test/baseline/queries'))
  .filter(({ file }) => file === '10-tables')
  .map(({ sql }) => bytesFromText(sql));

const TRACES = corpusTraces()
  .filter(({ path, loads }) => loads && /^recorded\/.*\.pftrace$/.test(path))
  .map(({ path }) => ({ path, bytes: readFileSync(join(CORPUS, path)) }))
  .filter(({ bytes }) => bytes[0] === 0x0a)
  .toSorted((one, other) => one.bytes.length - other.bytes.length)
  .slice(0, 10);

function resultsOf({ processor }: ReadTrace): string[] {
  return queries.map((sql) => {
    const rows: Buffer[] = [];
    try {
      processor.query(sql, (result) => rows.push(Buffer.from(result)));
      return Buffer.concat(rows).toString('base64');
    } catch (thrown) {
      return `error: ${(thrown as Error).message}`;
    }
  });
}

test.each(TRACES)('$path and its twin', ({ bytes }) => {
  expect(TRACES).toHaveLength(10);
  const twin = zstdTwin(bytes, 64 * 1024);
  const read = readTrace(engine, chunked(twin, 2 ** 20));
  expect(read.findings.unpackedBytes).toBe(bytes.length);
  expect(resultsOf(read)).toEqual(resultsOf(readTrace(engine, chunked(bytes, 2 ** 20))));
});
