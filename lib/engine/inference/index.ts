/**
 * What kinds of cells the columns of a script may hold, whatever the trace: inferred from the program that
 * SQLite makes of its last statement. The script runs on an engine without a trace, so nothing that it does is
 * seen by anybody. A wrong guess costs an error, never a value: the bridge checks each against its column.
 */
import { type CellValue, rowsOf } from '../../query-result/index.ts';
import type { TraceProcessor } from '../trace-processor.ts';
import { resultKinds } from './flow.ts';
import { ANY } from './kinds.ts';
import { type Op, programOf } from './program.ts';
import { type Statement, statementsOf } from './statements.ts';
import { TableColumns } from './table-columns.ts';

/**
 * @param processor has been finalized without a trace; it is of no use afterwards
 * @returns for each column of the script's answer a set of bits `1 << CellType`; undefined where it cannot be told
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
  /** Tables that the engine begins with. */
  readonly #own: ReadonlySet<string>;
  /** PERFETTO TABLEs of the script, by name in lower case. */
  readonly #made = new Map<string, { declared: boolean; kinds: readonly number[] | undefined }>();

  constructor(processor: TraceProcessor) {
    this.#processor = processor;
    this.#own = new Set(
      this.#ask(`SELECT name FROM sqlite_schema WHERE type = 'table'`).map(String),
    );
  }

  run({ sql, makes }: Statement): void {
    // A PERFETTO TABLE without rows does not know what it is meant to hold; what fills it does.
    const kinds = makes === undefined || makes.declared ? undefined : this.kindsOf(makes.select);
    this.#processor.query(sql, () => undefined);
    if (makes !== undefined)
      this.#made.set(makes.name.toLowerCase(), { declared: makes.declared, kinds });
  }

  kindsOf(select: Uint8Array): number[] | undefined {
    let program: Op[];
    try {
      program = programOf(this.#ask(Buffer.concat([Buffer.from('EXPLAIN '), select])));
    } catch {
      return undefined; // it is no SELECT
    }
    const pointers = program.flatMap(({ opcode, p4 }) => (opcode === 'VOpen' ? [p4] : []));
    const tables = new TableColumns((sql) => this.#ask(sql), this.#isTrusted, this.#kindsMade);
    const kinds = tables.kindsBehind(pointers, select);
    return resultKinds(program, (pointer, column) => kinds.get(pointer)?.[column] ?? ANY);
  }

  /** Public tables of the standard library have a schema, as Perfetto's own checks demand. */
  readonly #isTrusted = (name: string): boolean => {
    const made = this.#made.get(name.toLowerCase());
    return made === undefined ? this.#own.has(name) || !name.startsWith('_') : made.declared;
  };

  readonly #kindsMade = (name: string): readonly number[] | undefined =>
    this.#made.get(name.toLowerCase())?.kinds;

  #ask(question: Uint8Array | string): CellValue[][] {
    const results: Uint8Array[] = [];
    const sql = typeof question === 'string' ? Buffer.from(question) : question;
    this.#processor.query(sql, (result) => results.push(result.slice()));
    return rowsOf(results);
  }
}
