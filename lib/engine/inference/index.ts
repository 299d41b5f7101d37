/**
 * Infers the kinds of cells that the columns of a script may hold on any trace, from the program that SQLite compiles
 * its last statement to. The script runs on an engine without a trace, so it has no visible effect. A wrong inference
 * can cause an error, never a wrong value: the bridge checks each value against its column.
 */
import { type CellValue, rowsOf } from '../../query-result/index.ts';
import type { TraceProcessor } from '../trace-processor.ts';
import { resultKinds } from './flow.ts';
import { ANY } from './kinds.ts';
import { type Op, programOf } from './program.ts';
import { type Statement, statementsOf } from './statements.ts';
import { TableColumns } from './table-columns.ts';

/**
 * Infers the kinds of cells in each result column of a script.
 * @param processor must be finalized without a trace; the script changes its state
 * @returns for each column, a set of bits `1 << CellType`; undefined when they cannot be inferred
 * @throws BigtraceError when a statement before the last one fails
 */
export function possibleKinds(processor: TraceProcessor, sql: Uint8Array): number[] | undefined {
  const statements = statementsOf(sql);
  const last = statements?.pop();
  if (statements === undefined || last === undefined) return undefined;
  const inference = new Inference(processor);
  for (const statement of statements) inference.run(statement);
  return inference.kindsOf(last.sql);
}

export class Inference {
  readonly #processor: TraceProcessor;
  /** Tables of the engine before the script runs. */
  readonly #own: ReadonlySet<string>;
  /** PERFETTO TABLEs that the script created, by name in lower case. */
  readonly #tables = new Map<string, { declared: boolean; kinds: readonly number[] | undefined }>();

  constructor(processor: TraceProcessor) {
    this.#processor = processor;
    this.#own = new Set(
      this.#runSql(`SELECT name FROM sqlite_schema WHERE type = 'table'`).map(String),
    );
  }

  run({ sql, makes }: Statement): void {
    // The column types of an empty PERFETTO TABLE are not reliable, so the SELECT that fills it is analyzed.
    const kinds = makes === undefined || makes.declared ? undefined : this.kindsOf(makes.select);
    this.#processor.query(sql, () => undefined);
    if (makes !== undefined)
      this.#tables.set(makes.name.toLowerCase(), { declared: makes.declared, kinds });
  }

  kindsOf(select: Uint8Array): number[] | undefined {
    let program: Op[];
    try {
      program = programOf(this.#runSql(Buffer.concat([Buffer.from('EXPLAIN '), select])));
    } catch {
      return undefined; // not a SELECT
    }
    const pointers = program.flatMap(({ opcode, p4 }) => (opcode === 'VOpen' ? [p4] : []));
    const tables = new TableColumns(
      (sql) => this.#runSql(sql),
      this.#isTrusted,
      this.#kindsOfTable,
    );
    const kinds = tables.kindsBehind(pointers, select);
    return resultKinds(program, (pointer, column) => kinds.get(pointer)?.[column] ?? ANY);
  }

  /** Whether a table's column types are reliable. Perfetto's checks require them for the library's public tables. */
  readonly #isTrusted = (name: string): boolean => {
    const table = this.#tables.get(name.toLowerCase());
    return table === undefined ? this.#own.has(name) || !name.startsWith('_') : table.declared;
  };

  readonly #kindsOfTable = (name: string): readonly number[] | undefined =>
    this.#tables.get(name.toLowerCase())?.kinds;

  #runSql(script: Uint8Array | string): CellValue[][] {
    const results: Uint8Array[] = [];
    const sql = typeof script === 'string' ? Buffer.from(script) : script;
    this.#processor.query(sql, (result) => results.push(result.slice()));
    return rowsOf(results);
  }
}
