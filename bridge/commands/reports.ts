/** `bigtrace failures` and `bigtrace progress`: write recent failures and running queries as rows of a table. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { BridgeClient } from '../grpc/bridge-client.ts';
import { EMPTY } from '../grpc/messages.ts';
import type { RunningTrace } from '../grpc/report-messages.ts';
import { END_MARK } from '../tsv/end-mark.ts';
import { escapeBytes } from '../tsv/fields.ts';

/** Field numbers of the message Progress, in the order of the columns in clickhouse/sql/31-progress.sql. */
const PROGRESS_FIELDS = [8, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14];

export async function runFailures(
  client: Pick<BridgeClient, 'failures'>,
  stdout: Writable,
  signal?: AbortSignal,
): Promise<void> {
  for await (const failures of client.failures())
    await write(
      stdout,
      failures.map(({ queryId, user, trace, code, message, attempts, timeMs }) =>
        rowOf([queryId, user, trace, code, message, attempts, timeMs]),
      ),
      signal,
    );
  await end(stdout);
}

export async function runProgress(
  client: Pick<BridgeClient, 'running'>,
  stdout: Writable,
  signal?: AbortSignal,
): Promise<void> {
  const queries = await client.running();
  const rows = queries.map(({ queryId, user, startedMs, progress, running }) => {
    const counts = PROGRESS_FIELDS.map((field) => progress.get(field) ?? 0);
    return rowOf([queryId, user, startedMs, ...counts], arrayOf(running.map(tupleOf)));
  });
  await write(stdout, rows, signal);
  await end(stdout);
}

/** Names of the values of TaskPhase. */
const PHASES = ['queued', 'reading', 'parsing', 'running SQL'];

/** Writes a Tuple(trace String, state String, state_s Float64, total_s Float64, worker String). */
function tupleOf({ trace, phase, phaseMs, totalMs, worker }: RunningTrace): Buffer {
  const texts = [trace, Buffer.from(PHASES[phase] ?? ''), Buffer.from(worker)].map(quoted);
  const [name = EMPTY, state = EMPTY, place = EMPTY] = texts;
  const times = Buffer.from(`,${phaseMs / 1000},${totalMs / 1000},`);
  return Buffer.concat([OPEN, name, COMMA, state, times, place, CLOSE]);
}

const [OPEN, CLOSE, COMMA] = ['(', ')', ','].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];

/** A string within an array: single quotes are escaped too. */
function quoted(text: Uint8Array): Buffer {
  const escaped = escapeBytes(text).toString('latin1').replaceAll("'", "\\'");
  return Buffer.from(`'${escaped}'`, 'latin1');
}

function arrayOf(items: Buffer[]): Buffer {
  const separated = items.flatMap((item, at) => (at === 0 ? [item] : [COMMA, item]));
  return Buffer.concat([Buffer.from('['), ...separated, Buffer.from(']')]);
}

/** @param escaped a last field, already escaped */
function rowOf(values: (string | number | Uint8Array)[], escaped?: Buffer): Buffer {
  const fields = values.flatMap((value, index) => [
    ...(index === 0 ? [] : [TAB]),
    escapeBytes(value instanceof Uint8Array ? value : Buffer.from(String(value))),
  ]);
  const last = escaped === undefined ? [] : [TAB, escaped];
  return Buffer.concat([...fields, ...last, NEWLINE]);
}

const TAB = Buffer.from('\t');
const NEWLINE = Buffer.from('\n');

/** @param signal aborted when nobody reads the rows any longer: a response then never drains */
async function write(
  stdout: Writable,
  rows: Buffer[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (rows.length === 0 || stdout.write(Buffer.concat(rows))) return;
  await once(stdout, 'drain', signal === undefined ? {} : { signal });
}

async function end(stdout: Writable): Promise<void> {
  await new Promise((resolve) => stdout.write(END_MARK, resolve));
}
