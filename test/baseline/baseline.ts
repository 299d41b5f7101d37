/** Runs the queries of the baseline over all three ways, and compares, writes or shows the results. */
import { join } from 'node:path';
import { queryViews } from '../../clickhouse/views/query-views.mjs';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import { ROOT } from '../../lib/common/root.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { type System, startSystem } from '../harness/system.ts';
import { exactCell } from './canonical.ts';
import { type Digests, readDigests, writeDigests } from './digest-file.ts';
import { type BaselineQuery, readQueries } from './queries.ts';
import {
  differences,
  disagreements,
  type QueryRecord,
  recordOf,
  type WayResults,
} from './record.ts';
import { isFailure, shown, type WayResult } from './result.ts';
import { runInClickHouse } from './run-clickhouse.ts';
import { runOverGrpc } from './run-grpc.ts';
import { addressesOf, traceDirectory } from './traces.ts';

const HERE = join(ROOT, 'test/baseline');

/** Several queries run at once, so that the workers are busy while processes of other queries start. */
const QUERIES_AT_A_TIME = 3;

const SLOWEST_SHOWN = 12;
const PROGRESS_QUERIES = 50;

const TSV_PREFIX = 'tsv_';

/** For traces that the engine never finishes loading. Other queries do not get it: a busy machine would exceed it. */
const ENDLESS_TIMEOUT = { BIGTRACE_TRACE_TIMEOUT: '5s' };

interface QueryRunner {
  run(query: BaselineQuery): Promise<WayResults>;
}

/** @returns the process's exit code */
export async function checkBaseline(patterns: string[]): Promise<number> {
  const queries = chosen(patterns);
  const known = knownDigests();
  const complaints = await each(queries, (query, results) => [
    ...unexplained(query, results),
    ...changes(known.get(query.name), recordOf(results)),
  ]);
  if (patterns.length === 0)
    for (const name of known.keys())
      if (!queries.some((query) => query.name === name))
        complaints.push(`${name}: there are digests, but no query`);
  report(complaints);
  console.log(`baseline: ${queries.length} queries, ${complaints.length} differences`);
  return complaints.length === 0 ? 0 : 1;
}

/** @returns the process's exit code */
export async function writeBaseline(patterns: string[]): Promise<number> {
  const queries = chosen(patterns);
  const known = knownDigests();
  const changed: string[] = [];
  const refused = await each(queries, (query, results) => {
    const faults = unexplained(query, results);
    if (faults.length > 0) return faults;
    const record = recordOf(results);
    for (const change of changes(known.get(query.name), record))
      changed.push(`${query.name}: ${change}`);
    known.set(query.name, record);
    save(query.file, known); // after each query, so that an interrupted run keeps its results
    return [];
  });
  report(changed);
  report(refused.map((text) => `not written: ${text}`));
  console.log(
    `baseline: ${queries.length - refused.length} queries written, ${changed.length} lines changed`,
  );
  return refused.length === 0 ? 0 : 1;
}

/** Writes the digests of one query file, in the order of its queries. */
function save(file: string, known: Digests): void {
  const own = readQueries(join(HERE, 'queries')).filter((query) => query.file === file);
  const digests: Digests = new Map(
    own.flatMap(({ name }) => {
      const record = known.get(name);
      return record === undefined ? [] : [[name, record]];
    }),
  );
  writeDigests(digestFile(file), digests);
}

export async function showResult(name: string, trace: string): Promise<void> {
  const [query] = chosen([name]);
  if (query === undefined) return;
  const addresses = addressesOf(query.traces);
  const address = addresses.find((one) => shown(one) === trace);
  if (address === undefined)
    throw new TypeError(
      `${name} does not query ${trace}; it queries ${addresses.map(shown).join(', ')}`,
    );
  await withSystem(query.traces === 'endless', async (runner) => {
    const { grpc, native, tsv } = await runner.run(query);
    show('grpc', grpc, trace, (row) => row.map(exactCell));
    show('native', native, trace, (row) => row);
    show('tsv', tsv, trace, (row) => row);
  });
}

function show<Row>(
  way: string,
  result: WayResult<Row>,
  trace: string,
  cells: (row: Row) => string[],
): void {
  const one = result.traces.get(trace) ?? result.error;
  console.log(`== ${way}`);
  if (one === undefined) console.log('nothing');
  else if (isFailure(one)) console.log(`${one.code}: ${one.message}`);
  else
    for (const row of [one.names, ...one.rows.map(cells)])
      console.log(row.map((cell) => printable(cell)).join('\t'));
}

/** Reports differences between the ways, unless the query declares them with `differ`. */
function unexplained(query: BaselineQuery, results: WayResults): string[] {
  const found = disagreements(results);
  if (query.differ === undefined) return found.map((text) => `the ways differ: ${text}`);
  return found.length > 0 ? [] : ['the query says that the ways differ, but they agree'];
}

function changes(known: QueryRecord | undefined, found: QueryRecord): string[] {
  if (known === undefined) return ['there are no digests yet'];
  const ways = [...new Set([...known.keys(), ...found.keys()])];
  return ways.flatMap((way) =>
    differences(known.get(way) ?? new Map(), found.get(way) ?? new Map(), ['was', 'is']).map(
      (text) => `${way}, ${text}`,
    ),
  );
}

function report(lines: string[]): void {
  for (const line of lines.sort()) console.log(line);
}

function chosen(patterns: string[]): BaselineQuery[] {
  const all = readQueries(join(HERE, 'queries'));
  if (patterns.length === 0) return all;
  return patterns.flatMap((pattern) => {
    const found = all.filter(({ name }) => matches(pattern, name));
    if (found.length === 0) throw new TypeError(`there is no query ${pattern}`);
    return found;
  });
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

function digestFile(file: string): string {
  return join(HERE, 'digests', `${file}.txt`);
}

function knownDigests(): Digests {
  const all = readQueries(join(HERE, 'queries'));
  const sets = new Map(all.map(({ name, traces }) => [name, addressesOf(traces).map(shown)]));
  const files = [...new Set(all.map(({ file }) => file))];
  return new Map(
    files.flatMap((file) => [...readDigests(digestFile(file), (name) => sets.get(name) ?? [])]),
  );
}

/**
 * Runs the queries, some at a time.
 * @returns the complaints of `judge`, each prefixed with the name of its query
 */
async function each(
  queries: BaselineQuery[],
  judge: (query: BaselineQuery, results: WayResults) => string[],
): Promise<string[]> {
  const allComplaints: string[] = [];
  const seconds = new Map<string, number>();
  const started = performance.now();
  const runAll = async (runner: QueryRunner, waiting: BaselineQuery[]): Promise<void> => {
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const { name } = one;
        const began = performance.now();
        const complaints = await runner.run(one).then(
          (results) => judge(one, results),
          (error: unknown) => [`could not be run: ${error}`],
        );
        seconds.set(name, (performance.now() - began) / 1000);
        if (seconds.size % PROGRESS_QUERIES === 0)
          console.log(`ran ${seconds.size} of ${queries.length}`);
        allComplaints.push(...complaints.map((text) => `${name}: ${text}`));
      }
    };
    await Promise.all(Array.from({ length: QUERIES_AT_A_TIME }, next));
  };
  for (const endless of [false, true]) {
    const waiting = queries.filter(({ traces }) => (traces === 'endless') === endless);
    if (waiting.length > 0) await withSystem(endless, (runner) => runAll(runner, waiting));
  }
  const slowest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, SLOWEST_SHOWN);
  console.log(
    `ran in ${((performance.now() - started) / 1000).toFixed(0)} s; the slowest: ` +
      slowest.map(([name, taken]) => `${name} ${taken.toFixed(1)} s`).join(', '),
  );
  return allComplaints;
}

async function withSystem(
  endless: boolean,
  use: (runner: QueryRunner) => Promise<void>,
): Promise<void> {
  using directory = await traceDirectory();
  await using system = await startSystem({
    traces: directory.root,
    workers: 2,
    threads: 1,
    env: endless ? ENDLESS_TIMEOUT : {},
  });
  for (const [, sql] of queryViews({ format: 'CustomSeparated', prefix: TSV_PREFIX }))
    await system.sql(sql, { user: 'admin' });
  const client = new OrchestratorClient(system.orchestrator);
  try {
    await use({ run: (query) => runEachWay(system, client, query) });
  } finally {
    client.close();
  }
}

async function runEachWay(
  system: System,
  client: OrchestratorClient,
  { sql, traces }: BaselineQuery,
): Promise<WayResults> {
  const addresses = addressesOf(traces);
  const grpc = await runOverGrpc(client, addresses, sql);
  const [native, tsv] = await Promise.all(
    ['', TSV_PREFIX].map((prefix) =>
      runInClickHouse(system, `${prefix}bigtrace_answers`, addresses, sql),
    ),
  );
  if (native === undefined || tsv === undefined) throw new Error('unreachable');
  return { grpc, native, tsv };
}
