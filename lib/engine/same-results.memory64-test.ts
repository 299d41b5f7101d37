/** Runs the queries of the baseline in engines of one version with 32-bit and with 64-bit memory, and compares the results. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQueries } from '../../test/baseline/queries.ts';
import { fetchEngineV52 } from '../../tools/test-run/engine-v52.mjs';
import { bytesFromText } from '../common/text/byte-text.ts';
import type { Engine } from './engine.ts';
import { engineFilesIn } from './engine-choice.ts';
import { loadEngine, TraceProcessor } from './index.ts';
import { load } from './testing.ts';

const directory = await fetchEngineV52();
const { wasm, wasm64 = '' } = engineFilesIn(directory);
const narrow = await loadEngine(wasm);
const wide = await loadEngine(wasm64);

/** It ends the engine in either width, with different messages. */
const CRASHING = 'recursion-without-end';

const queries = readQueries(join(import.meta.dirname, '../../test/baseline/queries'))
  .filter(({ name }) => name !== CRASHING)
  .map(({ name, sql }) => ({ name, sql: bytesFromText(sql) }));

const TRACES = [
  'recorded/linux/compile-c.pftrace',
  'recorded/chrome/fetch-a.pftrace',
  'handmade/handmade.fxt',
];

/** Returns for each query the rows as the engine encodes them, or the error. */
function results(engine: Engine, trace: string): Map<string, string> {
  const processor = load(new TraceProcessor(engine), trace);
  const loaded = processor.snapshot();
  const all = new Map<string, string>();
  for (const { name, sql } of queries) {
    const rows: Buffer[] = [];
    try {
      processor.query(sql, (result) => rows.push(Buffer.from(result)));
      all.set(name, Buffer.concat(rows).toString('base64'));
    } catch (thrown) {
      all.set(name, `error: ${(thrown as Error).message}`);
    }
    processor.restore(loaded);
  }
  return all;
}

test.each(TRACES)('%s: all results are the same bit for bit', (trace) => {
  expect(queries.length).toBeGreaterThan(200);
  expect(narrow.version).toBe(wide.version);
  const [one, other] = [results(narrow, trace), results(wide, trace)];
  const rows = [...one.values()].filter((result) => !result.startsWith('error: '));
  expect(rows.length).toBeGreaterThan(150);
  expect(other).toEqual(one);
});
