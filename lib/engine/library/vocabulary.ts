/** The names that a script can use: those of the engine itself, and those of its standard library. */
import { rowsOf } from '../../query-result/index.ts';
import type { Engine } from '../engine.ts';
import type { TraceProcessor } from '../trace-processor.ts';
import { type Declarations, type DeclaredTable, declarationsOf } from './declarations.ts';
import { libraryModules } from './modules.ts';

export interface VocabularyModule extends Declarations {
  /** As in INCLUDE PERFETTO MODULE; empty for what the engine has without a module. */
  name: string;
}

/** Returns the names, those without a module first. The processor has no trace. */
export function vocabularyOf(
  processor: TraceProcessor,
  { initial, width }: Pick<Engine, 'initial' | 'width'>,
): VocabularyModule[] {
  const modules = libraryModules(initial, width.is64)
    .map(({ name, sql }) => ({ name, ...declarationsOf(sql) }))
    .filter((each) => each.table.length > 0 || each.function.length > 0);
  processor.finalize();
  const declared = new Set(
    modules.flatMap((each) =>
      [...each.table, ...each.function].map(({ name }) => name.toLowerCase()),
    ),
  );
  const isNew = ({ name }: { name: string }): boolean => !declared.has(name.toLowerCase());
  return [
    {
      name: '',
      table: nativeTables(processor).filter(isNew),
      function: nativeFunctions(processor).filter(isNew),
    },
    ...modules,
  ];
}

/** Tables and views with their columns; those whose names begin with `_` are internal. */
const TABLES = `SELECT t.name, t.type, c.name, c.type
FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
WHERE t.type IN ('table', 'view') AND substr(t.name, 1, 1) != '_' AND t.name NOT LIKE 'sqlite%'
ORDER BY t.name, c.cid`;

function nativeTables(processor: TraceProcessor): DeclaredTable[] {
  const tables = new Map<string, DeclaredTable>();
  for (const [name = '', kind, column = '', type = ''] of textRows(processor, TABLES)) {
    const table = tables.get(name) ?? { name, isView: kind === 'view', about: '', column: [] };
    tables.set(name, table);
    table.column.push({ name: column, type, about: '' });
  }
  return [...tables.values()];
}

/**
 * The functions with any number of arguments that SQLite does not have build the messages of metrics, except for these.
 */
const FUNCTIONS = `SELECT DISTINCT name FROM pragma_function_list
WHERE substr(name, 1, 1) BETWEEN 'a' AND 'z'
  AND (builtin OR narg >= 0
    OR name IN ('cat_stacks', 'experimental_profile', 'hash', 'stack_from_stack_profile_callsite'))
ORDER BY 1`;

function nativeFunctions(processor: TraceProcessor): Declarations['function'] {
  return textRows(processor, FUNCTIONS).map(([name = '']) => ({
    ...{ name, kind: 'scalar', about: '', argument: [], returns: '', column: [] },
  }));
}

function textRows(processor: TraceProcessor, sql: string): string[][] {
  const results: Uint8Array[] = [];
  processor.query(Buffer.from(sql), (result) => results.push(result.slice()));
  return rowsOf(results).map((row) => row.map((value) => String(value ?? '')));
}
