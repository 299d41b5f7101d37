/**
 * Runs queries of the baseline in the bundled engine and in that of Perfetto v52.0, with 32-bit and with 64-bit memory,
 * over the corpus and some larger traces. Prints the table of docs/engines.md: how the two versions differ. Both widths
 * of one version must return the same bytes. It needs Node 24: `npm run compare:engines [-- [--continue] [TRACE…]]`;
 * traces are named as in the manifest of the corpus, or by LARGER. `--continue` uses the findings of earlier runs.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type EngineResult, LoadedTrace } from '../../cli/engine/check.ts';
import { ROOT } from '../../lib/common/root.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { engineFilesIn } from '../../lib/engine/engine-choice.ts';
import { type Engine, loadEngine } from '../../lib/engine/index.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { ENGINE_WASM, fetchEngine } from '../../tools/build/fetch-engine.mjs';
import { fetchEngineV52 } from '../../tools/test-run/engine-v52.mjs';
import assembleCorpus from '../corpus/assemble.ts';
import { CORPUS, corpusTraces } from '../corpus/index.ts';
import { largeTrace, largeTraceOf } from '../corpus/large-trace.ts';
import { type BaselineQuery, readQueries } from './queries.ts';

/** V8's stack ends it, at a depth that depends on the width and the version of Node. */
const LEFT_OUT = new Set(['recursion-without-end']);
/** So many queries are chosen, evenly from all. */
const QUERIES = 200;

/** The findings of each trace. */
const FOUND = join(ROOT, 'test-results/compare-engines');
const CONTINUE = '--continue';
const CHILD = '--child';

/** Traces that the engine never finishes loading, and those that need gigabytes. */
const LEFT_OUT_TRACES = /^HANG|bomb/;

/** Traces that are made of others, because the corpus has none of this size: what is repeated, and how often. */
const LARGER: Record<string, () => Buffer> = {
  'chrome of 19 MB': () => repeated('recorded/chrome/fetch-a.pftrace', 8),
  'ftrace of 19 MB': () => repeated('recorded/linux/mem-pressure.pftrace', 5),
  'systrace of 9 MB': () => repeated('recorded/other/linux-ftrace.systrace', 10),
  'generated of 20 MB': () =>
    Buffer.concat(Array.from(largeTrace(largeTraceOf(20e6)), (piece) => Buffer.from(piece))),
};

function repeated(path: string, times: number): Buffer {
  const bytes = readFileSync(join(CORPUS, path));
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

/** How results of v52.0 differ from those of v55.3. */
const KINDS = [
  'the same rows',
  'as many rows, with other values',
  'another number of rows',
  'an error, where v55.3 has rows',
  'rows, where v55.3 has an error',
  'an error with another text',
] as const;
type Kind = (typeof KINDS)[number];

interface Finding {
  trace: string;
  /** Undefined: loading the trace, if an engine fails in that. */
  query: string | undefined;
  kind: Kind;
  /** Whether 32-bit and 64-bit memory gave different bytes or errors. */
  widthsDiffer: boolean;
}

function chosenQueries(): BaselineQuery[] {
  const all = readQueries(join(ROOT, 'test/baseline/queries')).filter(
    ({ name }) => !LEFT_OUT.has(name),
  );
  return all.filter(
    (_, at) =>
      Math.floor((at * QUERIES) / all.length) !== Math.floor(((at + 1) * QUERIES) / all.length),
  );
}

function chosenTraces(names: readonly string[]): string[] {
  const ofCorpus = corpusTraces()
    .filter(({ path, error }) => !LEFT_OUT_TRACES.test(error) && !LEFT_OUT_TRACES.test(path))
    .map(({ path }) => path);
  const all = [...Object.keys(LARGER), ...ofCorpus];
  return names.length === 0 ? all : all.filter((trace) => names.includes(trace));
}

/** The three engines. */
interface Engines {
  bundled: Engine;
  narrow: Engine;
  wide: Engine;
}

/** Loads the trace once into each engine, and compares the results of all queries. */
function findingsOf(trace: string, engines: Engines, queries: readonly BaselineQuery[]): Finding[] {
  const bytes = LARGER[trace]?.() ?? readFileSync(join(CORPUS, trace));
  const [bundled, narrow, wide] = [engines.bundled, engines.narrow, engines.wide].map(
    (engine) => new LoadedTrace(engine, bytes),
  ) as [LoadedTrace, LoadedTrace, LoadedTrace];
  const finding = (query: string | undefined, results: EngineResult[]): Finding => {
    const [newer, older, olderWide] = results as [EngineResult, EngineResult, EngineResult];
    const widthsDiffer = !sameBytes(older, olderWide);
    return { trace, query, kind: kindOf(newer, older), widthsDiffer };
  };
  const loads = [bundled, narrow, wide];
  if (loads.some(({ loadError }) => loadError !== undefined))
    return [
      finding(
        undefined,
        loads.map(({ loadError = '' }) => ({ error: loadError })),
      ),
    ];
  return queries.map(({ name, sql }) => {
    const script = bytesFromText(sql);
    return finding(
      name,
      loads.map((each) => each.run(script)),
    );
  });
}

function sameBytes(one: EngineResult, other: EngineResult): boolean {
  if ('error' in one || 'error' in other)
    return 'error' in one && 'error' in other && one.error === other.error;
  return one.rows.equals(other.rows);
}

function kindOf(newer: EngineResult, older: EngineResult): Kind {
  if (sameBytes(newer, older)) return 'the same rows';
  if ('error' in older)
    return 'error' in newer ? 'an error with another text' : 'an error, where v55.3 has rows';
  if ('error' in newer) return 'rows, where v55.3 has an error';
  // Engines of two versions may encode the same rows in different ways.
  const [rows, others] = [rowsOf([newer.rows]), rowsOf([older.rows])];
  if (rows.length !== others.length) return 'another number of rows';
  const same = rows.every((row, at) => isSameRow(row, others[at] ?? []));
  return same ? 'the same rows' : 'as many rows, with other values';
}

function isSameRow(row: readonly unknown[], other: readonly unknown[]): boolean {
  return row.length === other.length && row.every((cell, at) => isSameCell(cell, other[at]));
}

function isSameCell(cell: unknown, other: unknown): boolean {
  if (cell instanceof Uint8Array)
    return other instanceof Uint8Array && Buffer.compare(cell, other) === 0;
  return Object.is(cell, other);
}

/** A child process compares the traces that it is told one after another, so that its engines are compiled once. */
async function compareOnRequest(): Promise<void> {
  const { wasm, wasm64 = '' } = engineFilesIn(await fetchEngineV52());
  const engines = {
    bundled: await loadEngine(ENGINE_WASM),
    narrow: await loadEngine(wasm),
    wide: await loadEngine(wasm64),
  };
  const queries = chosenQueries();
  process.on('message', (trace: string) => process.send?.(findingsOf(trace, engines, queries)));
  process.send?.('ready');
}

const fileOf = (trace: string): string => join(FOUND, `${encodeURIComponent(trace)}.json`);

/** Compares in one process per core, and keeps the findings of each trace, so that a run that ends can go on later. */
async function compare(names: readonly string[], goOn: boolean): Promise<void> {
  await Promise.all([assembleCorpus(), fetchEngine(), fetchEngineV52()]);
  if (!goOn) rmSync(FOUND, { recursive: true, force: true });
  mkdirSync(FOUND, { recursive: true });
  const traces = chosenTraces(names);
  const left = traces.filter((trace) => !existsSync(fileOf(trace)));
  console.error(`${left.length} of ${traces.length} traces are compared`);
  await Promise.all(Array.from({ length: availableParallelism() }, () => compareAll(left)));
  report(traces.flatMap((trace) => JSON.parse(readFileSync(fileOf(trace), 'utf8')) as Finding[]));
}

/** Takes traces from `left`, and has them compared by one process. */
async function compareAll(left: string[]): Promise<void> {
  const [program = ''] = process.argv.slice(1);
  const child = fork(program, [CHILD]);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process that compares ended with code ${code}`);
  });
  const reply = async (): Promise<unknown> => {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  ended.catch(() => {}); // it is killed at the end
  await reply();
  for (let trace = left.shift(); trace !== undefined; trace = left.shift()) {
    const from = performance.now();
    child.send(trace);
    const findings = (await reply()) as Finding[];
    writeFileSync(fileOf(trace), JSON.stringify(findings));
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    console.error(`${trace}: ${findings.length} results of each engine, ${seconds} s`);
  }
  child.kill();
}

function report(findings: readonly Finding[]): void {
  const count = (of: (finding: Finding) => unknown): number => new Set(findings.map(of)).size;
  console.log(
    `${count(({ trace }) => trace)} traces, ${count(({ query }) => query)} queries, ` +
      `${findings.length} results of each engine`,
  );
  const unequal = findings.filter(({ widthsDiffer }) => widthsDiffer);
  console.log(`32-bit and 64-bit memory: ${unequal.length} results differ`);
  for (const { trace, query } of unequal) console.log(`  ${trace}: ${query ?? 'loading it'}`);
  if (unequal.length > 0) process.exitCode = 1;
  console.log('\n| v52.0 has | results | traces | queries |\n| --- | --: | --: | --- |');
  for (const kind of KINDS) {
    const some = findings.filter((finding) => finding.kind === kind);
    const queries = [...new Set(some.map(({ query }) => query))];
    const named = kind === 'the same rows' ? queries.length : queries.map(nameOf).join(', ');
    const traces = new Set(some.map(({ trace }) => trace)).size;
    console.log(`| ${kind} | ${some.length} | ${traces} | ${named} |`);
  }
}

function nameOf(query: string | undefined): string {
  return query === undefined ? 'loading' : `\`${query}\``;
}

const args = process.argv.slice(2);
if (args[0] === CHILD) await compareOnRequest();
else
  await compare(
    args.filter((arg) => arg !== CONTINUE),
    args.includes(CONTINUE),
  );
