/**
 * Runs the queries of the baseline in the bundled engine and in that of Perfetto v52.0, with 32-bit and with 64-bit memory,
 * over the traces of the corpus. Prints the table of docs/engines.md: how the two versions differ. Both widths of one
 * version must return the same bytes. It needs Node 24: `npm run compare:engines [-- TRACE…]`; traces are named as in the
 * manifest of the corpus.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineResult, engineResults } from '../../cli/engine/check.ts';
import { ROOT } from '../../lib/common/root.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { engineFilesIn } from '../../lib/engine/engine-choice.ts';
import { type Engine, loadEngine } from '../../lib/engine/index.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { ENGINE_WASM, fetchEngine } from '../../tools/build/fetch-engine.mjs';
import { fetchEngineV52 } from '../../tools/test-run/engine-v52.mjs';
import assembleCorpus from '../corpus/assemble.ts';
import { CORPUS } from '../corpus/index.ts';
import { type BaselineQuery, readQueries } from './queries.ts';
import { addressesOf, pathOf } from './traces.ts';

/** V8's stack ends it, at a depth that depends on the width and the version of Node. */
const LEFT_OUT = new Set(['recursion-without-end']);

/** Sets of traces that an engine can load. */
const SETS = new Set(['one', 'few', 'linux', 'chrome', 'recorded', 'loading', 'allLoading']);

interface Outcome {
  /** Digest of the bytes that the engine returned, or the error. */
  digest: string;
  /** Digest of the rows, which engines of two versions encode in different ways, or the error. */
  rows: string;
  error: string | undefined;
  rowCount: number;
}

/** Outcomes by query and trace. */
type Outcomes = Map<string, Outcome>;

async function main(): Promise<void> {
  await Promise.all([assembleCorpus(), fetchEngine()]);
  const { wasm, wasm64 = '' } = engineFilesIn(await fetchEngineV52());
  const queries = readQueries(join(ROOT, 'test/baseline/queries')).filter(
    ({ name, traces }) => SETS.has(traces) && !LEFT_OUT.has(name),
  );
  const bundled = outcomesOf(await loadEngine(ENGINE_WASM), queries);
  const narrow = outcomesOf(await loadEngine(wasm), queries);
  const wide = outcomesOf(await loadEngine(wasm64), queries);
  const unequal = [...narrow].filter(([key, { digest }]) => wide.get(key)?.digest !== digest);
  console.log(`${queries.length} queries, ${bundled.size} results of each engine`);
  console.log(`32-bit and 64-bit memory: ${unequal.length} results differ`);
  for (const [key] of unequal) console.log(`  ${key}`);
  if (unequal.length > 0) process.exitCode = 1;
  console.log(tableOf(bundled, narrow));
}

function outcomesOf(engine: Engine, queries: readonly BaselineQuery[]): Outcomes {
  const byTrace = new Map<string, BaselineQuery[]>();
  const chosen = new Set(process.argv.slice(2));
  for (const query of queries)
    for (const address of addressesOf(query.traces)) {
      const trace = pathOf(address);
      if (chosen.size > 0 && !chosen.has(trace)) continue;
      byTrace.set(trace, [...(byTrace.get(trace) ?? []), query]);
    }
  const outcomes: Outcomes = new Map();
  for (const [trace, some] of byTrace) {
    const started = performance.now();
    const scripts = some.map(({ sql }) => bytesFromText(sql));
    const results = engineResults(engine, readFileSync(join(CORPUS, trace)), scripts);
    for (const [at, { name }] of some.entries())
      outcomes.set(`${name}\t${trace}`, outcomeOf(results[at] ?? { error: 'no result' }));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.error(`${engine.version}: ${trace}: ${some.length} queries, ${seconds} s`);
  }
  return outcomes;
}

function outcomeOf(result: EngineResult): Outcome {
  if ('error' in result)
    return { digest: result.error, rows: result.error, error: result.error, rowCount: 0 };
  const digest = (bytes: Uint8Array | string): string =>
    createHash('sha256').update(bytes).digest('hex');
  const rows = rowsOf([result.rows]);
  return {
    ...{ digest: digest(result.rows), rows: digest(textOf(rows)) },
    ...{ error: undefined, rowCount: rows.length },
  };
}

/** Returns a text that differs if a value differs in its type, or in a bit. */
function textOf(rows: unknown): string {
  return JSON.stringify(rows, (_, value: unknown) => {
    if (typeof value === 'bigint') return `int ${value}`;
    if (typeof value === 'string') return `text ${value}`;
    return typeof value === 'number' && !Number.isFinite(value) ? `double ${value}` : value;
  });
}

const EQUAL = 'the same';

/** Describes how the outcomes of the older engine differ from those of the newer one. */
function kindOf(newer: Outcome, older: Outcome | undefined): string {
  if (older === undefined) throw new Error('an engine has no outcome of a query');
  if (newer.rows === older.rows) return EQUAL;
  if (newer.error !== undefined && older.error !== undefined)
    return 'an error in both, with different texts';
  if (older.error !== undefined) return 'an error in v52.0 only';
  if (newer.error !== undefined) return 'an error in v55.3 only';
  return newer.rowCount === older.rowCount
    ? 'as many rows, with other values'
    : 'another number of rows';
}

function tableOf(newer: Outcomes, older: Outcomes): string {
  const byKind = new Map<string, { results: number; queries: Set<string>; traces: Set<string> }>();
  for (const [key, outcome] of newer) {
    const [name = '', trace = ''] = key.split('\t');
    const kind = kindOf(outcome, older.get(key));
    const entry = byKind.get(kind) ?? { results: 0, queries: new Set(), traces: new Set() };
    byKind.set(kind, entry);
    entry.results++;
    entry.queries.add(name);
    entry.traces.add(trace);
  }
  const lines = [...byKind]
    .sort(([, a], [, b]) => b.results - a.results)
    .map(([kind, { results, queries, traces }]) => {
      const names = kind === EQUAL ? '' : [...queries].map((name) => `\`${name}\``).join(', ');
      return `| ${kind} | ${results} | ${queries.size} | ${traces.size} | ${names} |`;
    });
  return [
    '| v52.0 has | results | queries | traces | |',
    '| --- | --: | --: | --: | --- |',
    ...lines,
  ].join('\n');
}

await main();
