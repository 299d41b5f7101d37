/** Every trace of the corpus gives the same results, in the same pieces, with and without the primed start. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQueries } from '../../test/baseline/queries.ts';
import { CORPUS, corpusTraces } from '../../test/corpus/index.ts';
import { isSurelyPackets } from './primed-start.ts';
import { runQuery, testEngine } from './testing.ts';
import { TraceProcessor } from './trace-processor.ts';

const engine = await testEngine();
const primed = new TraceProcessor(engine);
const plain = new TraceProcessor({ ...engine, primed: undefined });
const queries = readQueries(join(import.meta.dirname, '../../test/baseline/queries')).filter(
  ({ file }) => file === '10-tables',
);

/**
 * Traces that are not primed are loaded as without the primed start; primed-start.test.ts has some of them. The baseline
 * has larger ones.
 */
const traces = corpusTraces()
  .filter(({ path, error }) => !/bomb/.test(path) && !/HANG/.test(error))
  .filter(({ path }) => statSync(join(CORPUS, path)).size < 2 ** 20)
  .map(({ path }) => ({ path, bytes: readFileSync(join(CORPUS, path)) }))
  .filter(({ bytes }) => isSurelyPackets(bytes));

test('most traces in Perfetto’s own format are primed', () => expect(traces).toHaveLength(18));

/** Returns the results of all queries as the engine encodes them, or the error of the load. */
function results(processor: TraceProcessor, trace: Uint8Array): string[] {
  processor.reset();
  try {
    for (let at = 0; at < trace.length; at += 2 ** 20)
      processor.append(trace.subarray(at, at + 2 ** 20));
    processor.finalize();
  } catch (thrown) {
    return [String(thrown)];
  }
  return queries.map(({ sql }) => {
    try {
      return runQuery(processor, sql)
        .map((piece) => Buffer.from(piece).toString('base64'))
        .join(' ');
    } catch (thrown) {
      return String(thrown);
    }
  });
}

test.each(traces)('$path', ({ bytes }) => {
  const [one, other] = [results(primed, bytes), results(plain, bytes)];
  expect(one.findIndex((result, at) => result !== other[at])).toBe(-1);
  expect(one).toHaveLength(other.length);
});
