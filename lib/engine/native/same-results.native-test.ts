/** Loads traces and runs the queries of the baseline in V8 and in the compiled engine, and compares every byte. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQueries } from '../../../test/baseline/queries.ts';
import { CORPUS, CORPUS_SOURCE, corpusTraces } from '../../../test/corpus/index.ts';
import { bytesFromText } from '../../common/text/byte-text.ts';
import { type Engine, TraceProcessor } from '../index.ts';
import { load, testEngine } from '../testing.ts';
import { V8_RUNTIME } from './runtime-choice.ts';

const native = await testEngine();
const v8 = await testEngine(V8_RUNTIME);

const queries = readQueries(join(CORPUS_SOURCE, '../baseline/queries')).map(({ name, sql }) => ({
  name,
  sql: bytesFromText(sql),
}));

/** Traces that end: those that keep the engine busy forever are interrupted in interrupt.native-test.ts. */
const traces = corpusTraces().filter(({ error }) => !error.startsWith('HANG'));
/** Queries run on these, and the snapshots of all others are compared. */
const QUERIED = ['recorded/linux/gzip-cpu.pftrace', 'handmade/handmade.fxt'];

test('the runtimes are two, of one engine', () => {
  expect([native.code.runtime, v8.code.runtime]).toEqual(['native', 'v8']);
  expect(native.version).toBe(v8.version);
  expect(native.identity).toBe(v8.identity);
});

function outcome(work: () => void): string {
  try {
    work();
    return 'loaded';
  } catch (thrown) {
    return String(thrown);
  }
}

const one = new TraceProcessor(v8);
const other = new TraceProcessor(native);

test.each(traces)('$path: the loaded memory is the same, or the error', ({ path }) => {
  const large = statSync(join(CORPUS, path)).size > 2 ** 25;
  const outcomes = [one, other].map((processor) => {
    processor.reset();
    processor.memoryBytesMax = large ? 2 ** 32 : 2 ** 29;
    return outcome(() => load(processor, path));
  });
  expect(outcomes[1]).toBe(outcomes[0]);
  if (outcomes[0] !== 'loaded') return;
  const [left, right] = [one.snapshot(), other.snapshot()];
  expect(right.memoryBytes).toBe(left.memoryBytes);
  expect(Buffer.from(right.runs.buffer).equals(Buffer.from(left.runs.buffer))).toBe(true);
  expect(Buffer.compare(right.contents, left.contents)).toBe(0);
});

/** Returns for each query the rows as the engine encodes them, or the error. */
function results(engine: Engine, trace: string): Map<string, string> {
  const processor = load(new TraceProcessor(engine), trace);
  const loaded = processor.snapshot();
  const all = new Map<string, string>();
  for (const { name, sql } of queries) {
    const rows: Buffer[] = [];
    const ended = outcome(() => processor.query(sql, (result) => rows.push(Buffer.from(result))));
    all.set(name, ended === 'loaded' ? Buffer.concat(rows).toString('base64') : `error: ${ended}`);
    processor.restore(loaded);
  }
  return all;
}

test.each(QUERIED)('%s: all results are the same', (trace) => {
  const [left, right] = [results(v8, trace), results(native, trace)];
  const rows = [...left.values()].filter((result) => !result.startsWith('error: '));
  expect(rows.length).toBeGreaterThan(100);
  expect(right).toEqual(left);
});

test('a snapshot of one runtime is restored in the other', () => {
  const [trace = ''] = QUERIED;
  const sql = Buffer.from('SELECT * FROM sched');
  const rows = [
    [one, other],
    [other, one],
  ].map(([from, to]) => {
    from?.reset();
    if (from !== undefined) to?.restore(structuredClone(load(from, trace).snapshot()));
    const all: Buffer[] = [];
    to?.query(sql, (result) => all.push(Buffer.from(result)));
    return Buffer.concat(all);
  });
  expect(rows[0]?.length).toBeGreaterThan(10_000);
  expect(rows[1]?.equals(rows[0] ?? Buffer.of())).toBe(true);
});
