/** Finds which table each of SQLite's pointers to virtual tables stands for, and the kinds of cells in its columns. */
import type { CellValue } from '../../query-result/index.ts';
import { sqlTokens } from '../script/sql-tokens.ts';
import { ANY, kindsOfDeclared } from './kinds.ts';
import { programOf } from './program.ts';

export type RunSql = (sql: string | Uint8Array) => CellValue[][];

/** Terms of one UNION ALL; SQLite accepts up to 500. */
const TABLES_PER_QUERY = 50;

interface Relation {
  name: string;
  isView: boolean;
  /** The statement that created it. */
  sql: string;
}

/** The virtual tables and views that an engine has when this is constructed. */
export class TableColumns {
  readonly #runSql: RunSql;
  /** Whether the declared column types of a table are reliable for every trace. */
  readonly #isTrusted: (name: string) => boolean;
  /** Returns the kinds of a table's columns when they were inferred, which is more precise than its declaration. */
  readonly #kindsOfFunction: (name: string) => readonly number[] | undefined;
  /** By name in lower case. */
  readonly #relations = new Map<string, Relation>();
  readonly #kindsByColumn = new Map<string, readonly number[]>();
  readonly #resolvedNames = new Set<string>();

  constructor(
    runSql: RunSql,
    isTrusted: (name: string) => boolean,
    kindsOfFunction: (name: string) => readonly number[] | undefined,
  ) {
    this.#runSql = runSql;
    this.#isTrusted = isTrusted;
    this.#kindsOfFunction = kindsOfFunction;
    const relations = `SELECT name, 'table', NULL FROM pragma_module_list
      UNION ALL SELECT name, type, sql FROM sqlite_schema
      WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL TABLE%'`;
    for (const [name, type, sql] of runSql(relations))
      this.#relations.set(String(name).toLowerCase(), {
        name: String(name),
        isView: type === 'view',
        sql: String(sql),
      });
  }

  /** Returns the kinds of the table columns by pointer. `sql` is the statement whose program has these pointers. */
  kindsBehind(
    pointers: readonly string[],
    sql: Uint8Array,
  ): ReadonlyMap<string, readonly number[]> {
    this.#look(this.#mentioned(sql));
    // A macro may use tables that the script does not mention.
    if (pointers.some((pointer) => !this.#kindsByColumn.has(pointer)))
      this.#look(
        [...this.#relations.values()].flatMap(({ name, isView }) => (isView ? [] : [name])),
      );
    return this.#kindsByColumn;
  }

  /** Returns the tables that are named in a text of SQL, or in the views that it names. */
  #mentioned(sql: Uint8Array): string[] {
    const tables: string[] = [];
    const visited = new Set<string>();
    const open = [sql];
    for (let text = open.pop(); text !== undefined; text = open.pop())
      for (const { text: word } of sqlTokens(text)) {
        const relation = this.#relations.get(word.toLowerCase());
        if (relation === undefined || visited.has(relation.name)) continue;
        visited.add(relation.name);
        if (relation.isView) open.push(Buffer.from(relation.sql));
        else tables.push(relation.name);
      }
    return tables;
  }

  #look(names: readonly string[]): void {
    const fresh = names.filter((name) => !this.#resolvedNames.has(name));
    for (let from = 0; from < fresh.length; from += TABLES_PER_QUERY)
      this.#find(fresh.slice(from, from + TABLES_PER_QUERY));
    for (const name of fresh) this.#resolvedNames.add(name);
  }

  #find(names: readonly string[]): void {
    const declared = this.#declared(names);
    const calls = (name: string): string[] => {
      const hidden = declared.get(name)?.filter((column) => column.hidden).length ?? 0;
      return [
        `SELECT 1 FROM ${quoted(name)}`,
        // A table function requires arguments for some or all of its hidden columns.
        ...Array.from({ length: hidden }, (_, at) => {
          const args = Array(hidden - at).fill('NULL');
          return `SELECT 1 FROM ${quoted(name)}(${args.join(', ')})`;
        }),
      ];
    };
    this.#open(names, calls, (name, pointer) => {
      const columns = declared.get(name) ?? [];
      this.#kindsByColumn.set(
        pointer,
        this.#kindsOfFunction(name) ?? columns.map(({ kinds }) => kinds),
      );
    });
  }

  /**
   * Finds the pointers of tables: the SELECTs of a UNION ALL open their tables in order. If SQLite rejects one, the
   * tables are tried in halves.
   */
  #open(
    names: readonly string[],
    calls: (name: string) => string[],
    onCall: (name: string, pointer: string) => void,
  ): void {
    const [only = '', second] = names;
    const tried = second === undefined ? calls(only) : [names.map((name) => calls(name)[0])];
    for (const selects of tried) {
      const union = typeof selects === 'string' ? selects : selects.join(' UNION ALL ');
      const pointers = this.#pointers(union);
      if (pointers.length !== names.length) continue;
      pointers.forEach((pointer, at) => {
        onCall(names[at] ?? '', pointer);
      });
      return;
    }
    if (second === undefined) return;
    const half = Math.ceil(names.length / 2);
    this.#open(names.slice(0, half), calls, onCall);
    this.#open(names.slice(half), calls, onCall);
  }

  #pointers(select: string): string[] {
    try {
      const program = programOf(this.#runSql(`EXPLAIN ${select}`));
      return program.flatMap(({ opcode, p4 }) => (opcode === 'VOpen' ? [p4] : []));
    } catch {
      return []; // for example, a table function without its arguments
    }
  }

  #declared(names: readonly string[]): Map<string, { kinds: number; hidden: boolean }[]> {
    const tables = new Map<string, { kinds: number; hidden: boolean }[]>();
    const values = names.map((name) => `(${literal(name)})`);
    const rows = this.#runSql(`WITH named(name) AS (VALUES ${values.join(', ')})
      SELECT named.name, t.name, t.type, t.hidden FROM named, pragma_table_xinfo(named.name) t
      ORDER BY named.name, t.cid`);
    for (const [name, column, type, hidden] of rows) {
      const columns = tables.get(String(name)) ?? [];
      tables.set(String(name), columns);
      const isGuess =
        isInteger(String(type)) && !this.#declaresInteger(String(name), String(column));
      columns.push({ kinds: isGuess ? ANY : kindsOfDeclared(String(type)), hidden: hidden !== 0n });
    }
    return tables;
  }

  /**
   * Whether a declared INTEGER is reliable. An empty PERFETTO TABLE declares it for every column, whatever the column
   * is meant to hold, and a span join repeats the declarations of its tables.
   */
  #declaresInteger(table: string, column: string): boolean {
    const { sql = '' } = this.#relations.get(table.toLowerCase()) ?? {};
    if (/\bUSING\s+SPAN_/i.test(sql)) return column === 'ts' || column === 'dur';
    return this.#isTrusted(table);
  }
}

function isInteger(type: string): boolean {
  return /^(INTEGER|BIGINT)$/i.test(type);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
