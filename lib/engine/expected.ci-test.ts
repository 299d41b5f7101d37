/** Runs the queries of test/corpus/expected and compares every cell with the stored results. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CORPUS_SOURCE, corpusTraces } from '../../test/corpus/index.ts';
import { escapeTsv } from '../common/text/tsv-text.ts';
import { type CellValue, RowDecoder } from '../query-result/index.ts';
import { type Engine, TraceProcessor } from './index.ts';
import { load, runQuery, testEngine } from './testing.ts';

const EXPECTED = join(CORPUS_SOURCE, 'expected');
const files = readdirSync(EXPECTED).filter((name) => name.endsWith('.tsv'));

/** Corpus paths of the traces, by the part of a result file's name that stands for the trace. */
const traces = new Map(
  corpusTraces().map(({ path }) => [path.replace(/^recorded\//, '').replaceAll('/', '_'), path]),
);

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

test.each(files)('%s holds the rows that its query returns', (name) => {
  const [query = '', trace = ''] = name.replace(/\.tsv$/, '').split('__');
  const processor = load(new TraceProcessor(engine), traces.get(trace) ?? trace);
  const sql = readFileSync(join(EXPECTED, `${query}.sql`), 'utf8');
  const decoder = new RowDecoder();
  const rows = runQuery(processor, sql).flatMap((result) => decoder.rows(result));
  const lines = [decoder.columnNames, ...rows.map((row) => row.map(cellText))];
  expect(lines.map((cells) => `${cells.join('\t')}\n`).join('')).toBe(
    readFileSync(join(EXPECTED, name), 'utf8'),
  );
});

function cellText(value: CellValue): string {
  if (value === null) return '\\N';
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return escapeTsv(String(value));
}
