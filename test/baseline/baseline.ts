/** Runs the questions of the baseline over all three ways, and compares, writes or shows the results. */
import { join } from 'node:path';
import { queryViews } from '../../clickhouse/views/query-views.mjs';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import { ROOT } from '../../lib/common/root.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { type System, startSystem } from '../harness/system.ts';
import { isFailure, shown, type WayAnswer } from './answer.ts';
import { askClickHouse } from './ask-clickhouse.ts';
import { askOverGrpc } from './ask-grpc.ts';
import { exactCell } from './canonical.ts';
import { type Digests, readDigests, writeDigests } from './digest-file.ts';
import { type Question, readQuestions } from './questions.ts';
import {
  type Answers,
  differences,
  disagreements,
  type QuestionRecord,
  recordOf,
} from './record.ts';
import { addressesOf, traceDirectory } from './traces.ts';

const HERE = join(ROOT, 'test/baseline');

/** Several questions run at once, so that the workers are busy while processes of other questions start. */
const QUESTIONS_AT_A_TIME = 3;

const SLOWEST_SHOWN = 12;
const PROGRESS_QUESTIONS = 50;

const TSV_PREFIX = 'tsv_';

/** For traces that the engine never finishes loading. Other questions do not get it: a busy machine would exceed it. */
const ENDLESS_TIMEOUT = { BIGTRACE_TRACE_TIMEOUT: '5s' };

interface Asker {
  ask(question: Question): Promise<Answers>;
}

/** @returns the process's exit code */
export async function checkBaseline(patterns: string[]): Promise<number> {
  const questions = chosen(patterns);
  const known = knownDigests();
  const complaints = await each(questions, (question, answers) => [
    ...unexplained(question, answers),
    ...changes(known.get(question.name), recordOf(answers)),
  ]);
  if (patterns.length === 0)
    for (const name of known.keys())
      if (!questions.some((question) => question.name === name))
        complaints.push(`${name}: there are digests, but no question`);
  report(complaints);
  console.log(`baseline: ${questions.length} questions, ${complaints.length} differences`);
  return complaints.length === 0 ? 0 : 1;
}

/** @returns the process's exit code */
export async function writeBaseline(patterns: string[]): Promise<number> {
  const questions = chosen(patterns);
  const known = knownDigests();
  const changed: string[] = [];
  const refused = await each(questions, (question, answers) => {
    const faults = unexplained(question, answers);
    if (faults.length > 0) return faults;
    const record = recordOf(answers);
    for (const change of changes(known.get(question.name), record))
      changed.push(`${question.name}: ${change}`);
    known.set(question.name, record);
    save(question.file, known); // after each question, so that an interrupted run keeps its results
    return [];
  });
  report(changed);
  report(refused.map((text) => `not written: ${text}`));
  console.log(
    `baseline: ${questions.length - refused.length} questions written, ${changed.length} lines changed`,
  );
  return refused.length === 0 ? 0 : 1;
}

/** Writes the digests of one question file, in the order of its questions. */
function save(file: string, known: Digests): void {
  const own = readQuestions(join(HERE, 'questions')).filter((question) => question.file === file);
  const digests: Digests = new Map(
    own.flatMap(({ name }) => {
      const record = known.get(name);
      return record === undefined ? [] : [[name, record]];
    }),
  );
  writeDigests(digestFile(file), digests);
}

export async function showAnswer(name: string, trace: string): Promise<void> {
  const [question] = chosen([name]);
  if (question === undefined) return;
  const addresses = addressesOf(question.traces);
  const address = addresses.find((one) => shown(one) === trace);
  if (address === undefined)
    throw new TypeError(`${name} does not ask ${trace}, but ${addresses.map(shown).join(', ')}`);
  await asking(question.traces === 'endless', async (asker) => {
    const { grpc, native, tsv } = await asker.ask(question);
    show('grpc', grpc, trace, (row) => row.map(exactCell));
    show('native', native, trace, (row) => row);
    show('tsv', tsv, trace, (row) => row);
  });
}

function show<Row>(
  way: string,
  answer: WayAnswer<Row>,
  trace: string,
  cells: (row: Row) => string[],
): void {
  const one = answer.traces.get(trace) ?? answer.error;
  console.log(`== ${way}`);
  if (one === undefined) console.log('nothing');
  else if (isFailure(one)) console.log(`${one.code}: ${one.message}`);
  else
    for (const row of [one.names, ...one.rows.map(cells)])
      console.log(row.map((cell) => printable(cell)).join('\t'));
}

/** Reports differences between the ways, unless the question declares them with `differ`. */
function unexplained(question: Question, answers: Answers): string[] {
  const found = disagreements(answers);
  if (question.differ === undefined) return found.map((text) => `the ways differ: ${text}`);
  return found.length > 0 ? [] : ['the question says that the ways differ, but they agree'];
}

function changes(known: QuestionRecord | undefined, found: QuestionRecord): string[] {
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

function chosen(patterns: string[]): Question[] {
  const all = readQuestions(join(HERE, 'questions'));
  if (patterns.length === 0) return all;
  return patterns.flatMap((pattern) => {
    const found = all.filter(({ name }) => matches(pattern, name));
    if (found.length === 0) throw new TypeError(`there is no question ${pattern}`);
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
  const all = readQuestions(join(HERE, 'questions'));
  const sets = new Map(all.map(({ name, traces }) => [name, addressesOf(traces).map(shown)]));
  const files = [...new Set(all.map(({ file }) => file))];
  return new Map(
    files.flatMap((file) => [...readDigests(digestFile(file), (name) => sets.get(name) ?? [])]),
  );
}

/**
 * Runs the questions, some at a time.
 * @returns the complaints of `judge`, each prefixed with the name of its question
 */
async function each(
  questions: Question[],
  judge: (question: Question, answers: Answers) => string[],
): Promise<string[]> {
  const said: string[] = [];
  const seconds = new Map<string, number>();
  const started = performance.now();
  const ask = async (asker: Asker, waiting: Question[]): Promise<void> => {
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const { name } = one;
        const began = performance.now();
        const complaints = await asker.ask(one).then(
          (answers) => judge(one, answers),
          (error: unknown) => [`could not be asked: ${error}`],
        );
        seconds.set(name, (performance.now() - began) / 1000);
        if (seconds.size % PROGRESS_QUESTIONS === 0)
          console.log(`asked ${seconds.size} of ${questions.length}`);
        said.push(...complaints.map((text) => `${name}: ${text}`));
      }
    };
    await Promise.all(Array.from({ length: QUESTIONS_AT_A_TIME }, next));
  };
  for (const endless of [false, true]) {
    const waiting = questions.filter(({ traces }) => (traces === 'endless') === endless);
    if (waiting.length > 0) await asking(endless, (asker) => ask(asker, waiting));
  }
  const slowest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, SLOWEST_SHOWN);
  console.log(
    `asked in ${((performance.now() - started) / 1000).toFixed(0)} s; the slowest: ` +
      slowest.map(([name, taken]) => `${name} ${taken.toFixed(1)} s`).join(', '),
  );
  return said;
}

async function asking(endless: boolean, use: (asker: Asker) => Promise<void>): Promise<void> {
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
    await use({ ask: (question) => askEachWay(system, client, question) });
  } finally {
    client.close();
  }
}

async function askEachWay(
  system: System,
  client: OrchestratorClient,
  { sql, traces }: Question,
): Promise<Answers> {
  const addresses = addressesOf(traces);
  const grpc = await askOverGrpc(client, addresses, sql);
  const [native, tsv] = await Promise.all(
    ['', TSV_PREFIX].map((prefix) =>
      askClickHouse(system, `${prefix}bigtrace_answers`, addresses, sql),
    ),
  );
  if (native === undefined || tsv === undefined) throw new Error('unreachable');
  return { grpc, native, tsv };
}
