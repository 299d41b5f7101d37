/** `bigtrace materialize`: a table of what all traces answer, which only new and changed traces are asked for. */
import { randomUUID } from 'node:crypto';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import type { Database } from './database.ts';
import { RESULTS } from './execution.ts';
import { badRequest } from './http-error.ts';
import type { Settings } from './settings.ts';
import { arrayLiteral, identifier, literal } from './sql-text.ts';
import { checkTableName } from './table-name.ts';
import { catalogFilter, TRACES } from './traces.ts';

const LEDGER = 'bigtrace.materialized_traces';
/** Traces of one query: what a killed run has to ask again at most. */
const BATCH_TRACES = 1000;

export interface MaterializePlan {
  name: string;
  sql: string;
  settings: Settings;
}

export interface Materialized {
  /** Traces that were asked, and how many of them failed: those are asked again by the next run. */
  asked: number;
  failed: number;
  /** The first failure, for people. */
  firstFailure: string | undefined;
}

interface Trace {
  address: string;
  generation: string;
}

/**
 * Rows of a batch are seen all at once, when its traces are written to the ledger; what a killed run left
 * is never seen, and goes with the next run.
 * @throws invalid_option where a table of that name was made with other SQL; what the first query fails with
 */
export async function materialize(
  plan: MaterializePlan,
  database: Database,
  onBatch: (sofar: Materialized) => void,
): Promise<Materialized> {
  const name = checkTableName(plan.name);
  const target = new Target(name, database);
  const made = await target.sqlOfTable();
  if (made !== undefined && made !== plan.sql)
    throw badRequest(
      `${RESULTS}.${name} was made with other SQL; choose another name, or drop it and ${name}_rows`,
    );
  const sofar: Materialized = { asked: 0, failed: 0, firstFailure: undefined };
  for (let after = ''; ; ) {
    const batch = await target.outdated(plan.settings, after);
    const last = batch.at(-1);
    if (last === undefined) break;
    after = last.address;
    const failures = await target.ask(plan, batch);
    sofar.asked += batch.length;
    sofar.failed += failures.size;
    sofar.firstFailure ??= failures.values().next().value;
    onBatch(sofar);
  }
  await target.removeStale();
  return sofar;
}

class Target {
  readonly #name: string;
  readonly #database: Database;
  readonly #rows: string;

  constructor(name: string, database: Database) {
    this.#name = name;
    this.#database = database;
    this.#rows = `${RESULTS}.${identifier(`${name}_rows`)}`;
  }

  /** Undefined where there is no such table yet. */
  async sqlOfTable(): Promise<string | undefined> {
    const [found] = await this.#database.rows(
      `SELECT comment FROM system.tables
       WHERE database = ${literal(RESULTS)} AND name = ${literal(`${this.#name}_rows`)}`,
    );
    return found?.[0] ?? undefined;
  }

  /** The first traces behind `after` that are new, or not what they were when they were asked. */
  async outdated(settings: Settings, after: string): Promise<Trace[]> {
    const rows = await this.#database.rows(
      `SELECT address, generation FROM ${TRACES}
       WHERE address > ${literal(after)} AND error_code = '' AND (address, generation) NOT IN (
         SELECT address, generation FROM ${LEDGER} FINAL WHERE table_name = ${literal(this.#name)})
       ORDER BY address LIMIT ${BATCH_TRACES}`,
      { settings: catalogFilter(settings) },
    );
    return rows.map(([address, generation]) => ({
      address: address ?? '',
      generation: generation ?? '',
    }));
  }

  /** @returns the traces that failed, and why @throws what the very first query fails with */
  async ask(plan: MaterializePlan, batch: Trace[]): Promise<Map<string, string>> {
    try {
      return await this.#ask(plan, batch);
    } catch (thrown) {
      const error = asBigtraceError(thrown);
      if (error.code !== 'all_failed' || (await this.sqlOfTable()) === undefined) throw error;
      return new Map(batch.map(({ address }) => [address, error.message]));
    }
  }

  async #ask({ sql, settings }: MaterializePlan, batch: Trace[]): Promise<Map<string, string>> {
    const queryId = randomUUID();
    const run = Date.now();
    const addresses = arrayLiteral(batch.map(({ address }) => address));
    const of = (view: string): string =>
      `bigtrace.${view}(traces = ${addresses}, sql = ${literal(sql)})`;
    const [described, source, runOf] = settings.strict
      ? [of('bigtrace'), of('bigtrace'), String(run)]
      : [of('bigtrace_lenient'), of('bigtrace_answers'), `if(_hb = 0, ${run}, ${failedOf(run)})`];
    const columns = await this.#database.rows(`DESCRIBE (SELECT * FROM ${described})`, { queryId });
    await this.#create(columns, sql);
    const names = columns.map(([name]) => identifier(name ?? '')).join(', ');
    await this.#database.command(
      `INSERT INTO ${this.#rows} (_run, ${names}) SELECT ${runOf}, ${names} FROM ${source}`,
      { queryId },
    );
    const failures = await this.#failures(queryId, run);
    const answered = batch.filter(({ address }) => !failures.has(address));
    await this.#database.insert(
      LEDGER,
      answered.map((trace) => ({ table_name: this.#name, ...trace, run })),
    );
    return failures;
  }

  /** Rows of traces that were asked again since, and of runs that were killed. */
  async removeStale(): Promise<void> {
    if ((await this.sqlOfTable()) === undefined) return;
    await this.#database.command(`DELETE FROM ${this.#rows} WHERE NOT (${this.#current()})`);
  }

  async #create(described: (string | null)[][], sql: string): Promise<void> {
    const columns = described.map(([name, type]) => `${identifier(name ?? '')} ${type ?? ''}`);
    await this.#database.command(
      `CREATE TABLE IF NOT EXISTS ${this.#rows} (_run UInt64, ${columns.join(', ')})
       ENGINE = MergeTree ORDER BY _trace_address COMMENT ${literal(sql)}`,
    );
    await this.#database.command(
      `CREATE VIEW IF NOT EXISTS ${RESULTS}.${identifier(this.#name)} AS
       SELECT * EXCEPT (_run) FROM ${this.#rows} WHERE ${this.#current()}`,
    );
  }

  #current(): string {
    return `(_trace_address, _run) IN (
      SELECT address, run FROM ${LEDGER} FINAL WHERE table_name = ${literal(this.#name)})`;
  }

  /** Which traces failed is in the rows themselves; why, the orchestrator that ran the query may remember. */
  async #failures(queryId: string, run: number): Promise<Map<string, string>> {
    const failed = await this.#database.rows(
      `SELECT DISTINCT _trace_address FROM ${this.#rows} WHERE _run = ${failedOf(run)}`,
    );
    if (failed.length === 0) return new Map();
    const remembered = await this.#database.rows(
      `SELECT trace, message FROM bigtrace.failures WHERE query_id = ${literal(queryId)} AND trace != ''`,
    );
    const reasons = new Map(remembered.map(([trace, message]) => [trace, message]));
    return new Map(
      failed.map(([trace = null]) => [trace ?? '', reasons.get(trace) ?? 'the trace failed']),
    );
  }
}

/** What `_run` is in rows that name the traces that failed in a run: no row of a table is of it. */
function failedOf(run: number): string {
  return `bitNot(toUInt64(${run}))`;
}

/** What a run that found nothing to ask, or some failures, says to people. */
export function told({ asked, failed, firstFailure }: Materialized): string {
  if (asked === 0) return 'all traces are in the table already';
  const why = firstFailure === undefined ? '' : `; the first: ${firstFailure}`;
  return `${asked} traces asked, ${failed} failed${why}`;
}

/** @throws invalid_option for a script that is empty */
export function checkScript(sql: string): string {
  if (sql.trim() === '') throw new BigtraceError('no_sql', '--sql is empty');
  return sql;
}
