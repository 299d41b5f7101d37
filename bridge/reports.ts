/** `bigtrace failures` and `bigtrace progress`: what the orchestrator remembers, as rows of a table. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { OrchestratorClient } from './orchestrator.ts';
import { escapeBytes } from './tsv/fields.ts';

/**
 * Behind the last row, where all went well or what did not is on stderr. ClickHouse takes the end of the
 * pipe for the end of the rows, whatever it was that ended it; the views tell it to insist on this line.
 */
export const END_MARK = Buffer.from('END\n');

/** The numbers of Progress's fields, in the order of clickhouse/sql/31-progress.sql. */
const PROGRESS_FIELDS = [8, 1, 2, 3, 4, 5, 6, 7];

export async function runFailures(client: OrchestratorClient, stdout: Writable): Promise<void> {
  for await (const failures of client.failures())
    await write(
      stdout,
      failures.map(({ queryId, user, trace, code, message, attempts, timeMs }) =>
        rowOf([queryId, user, trace, code, message, attempts, timeMs]),
      ),
    );
  await end(stdout);
}

export async function runProgress(client: OrchestratorClient, stdout: Writable): Promise<void> {
  const queries = await client.running();
  const rows = queries.map(({ queryId, user, startedMs, progress }) =>
    rowOf([queryId, user, startedMs, ...PROGRESS_FIELDS.map((field) => progress.get(field) ?? 0)]),
  );
  await write(stdout, rows);
  await end(stdout);
}

function rowOf(values: (string | number | Uint8Array)[]): Buffer {
  const fields = values.flatMap((value, index) => [
    ...(index === 0 ? [] : [TAB]),
    escapeBytes(value instanceof Uint8Array ? value : Buffer.from(String(value))),
  ]);
  return Buffer.concat([...fields, NEWLINE]);
}

const TAB = Buffer.from('\t');
const NEWLINE = Buffer.from('\n');

async function write(stdout: Writable, rows: Buffer[]): Promise<void> {
  if (rows.length > 0 && !stdout.write(Buffer.concat(rows))) await once(stdout, 'drain');
}

async function end(stdout: Writable): Promise<void> {
  await new Promise((resolve) => stdout.write(END_MARK, resolve));
}
