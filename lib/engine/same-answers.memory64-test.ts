/** The questions of the baseline, asked engines of one version with 32-bit and with 64-bit memory. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQuestions } from '../../test/baseline/questions.ts';
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

/** It ends the engine in either width, but not with the same words. */
const CRASHING = 'recursion-without-end';

const questions = readQuestions(join(import.meta.dirname, '../../test/baseline/questions'))
  .filter(({ name }) => name !== CRASHING)
  .map(({ name, sql }) => ({ name, sql: bytesFromText(sql) }));

const TRACES = [
  'recorded/linux/compile-c.pftrace',
  'recorded/chrome/fetch-a.pftrace',
  'handmade/handmade.fxt',
];

/** Returns for each question the rows as the engine encodes them, or the error. */
function answers(engine: Engine, trace: string): Map<string, string> {
  const processor = load(new TraceProcessor(engine), trace);
  const loaded = processor.snapshot();
  const all = new Map<string, string>();
  for (const { name, sql } of questions) {
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

test.each(TRACES)('%s: all answers are the same bit for bit', (trace) => {
  expect(questions.length).toBeGreaterThan(200);
  expect(narrow.version).toBe(wide.version);
  const [one, other] = [answers(narrow, trace), answers(wide, trace)];
  const rows = [...one.values()].filter((answer) => !answer.startsWith('error: '));
  expect(rows.length).toBeGreaterThan(150);
  expect(other).toEqual(one);
});
