/**
 * Completes the names that the engine knows: tables, columns, functions and modules. A table or function of a module
 * that the script does not include is offered, too; choosing it adds the INCLUDE.
 */
import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  type CompletionSource,
  insertCompletionText,
} from '@codemirror/autocomplete';
import type { EditorView } from '@codemirror/view';
import type {
  Vocabulary,
  VocabularyColumn,
  VocabularyFunction,
  VocabularyModule,
  VocabularyTable,
} from '../../http-api/contract/console.ts';

/** Modules that every script has: the engine's own names, and the prelude of the library. */
const ALWAYS = /^$|^prelude\./;
const INCLUDE = /INCLUDE\s+PERFETTO\s+MODULE\s+([\w.]*)$/i;
const INCLUDES = /INCLUDE\s+PERFETTO\s+MODULE\s+([\w.]+)/gi;
/** Names that are missing an INCLUDE come behind the others. */
const OF_OTHERS = -10;
const OF_COLUMNS = 10;

interface Names {
  modules: Completion[];
  tables: Map<string, VocabularyTable>;
  entries: { module: string; entry: VocabularyTable | VocabularyFunction }[];
}

/** Returns what completes the vocabulary's names. */
export function completionOf({ modules }: Vocabulary): CompletionSource {
  const names = namesOf(modules);
  return (context) => complete(names, context);
}

function namesOf(modules: readonly VocabularyModule[]): Names {
  const entries = modules.flatMap(({ name: module, tables, functions }) =>
    [...tables, ...functions].map((entry) => ({ module, entry })),
  );
  const tables = modules.flatMap((each) => each.tables);
  return {
    entries,
    tables: new Map(tables.map((table) => [table.name.toLowerCase(), table])),
    modules: modules
      .filter(({ name }) => !ALWAYS.test(name))
      .map(({ name, tables: own, functions }) => ({
        ...{ label: name, type: 'namespace' },
        info: [...own, ...functions].map((each) => each.name).join(', '),
      })),
  };
}

function complete(names: Names, context: CompletionContext): CompletionResult | null {
  const { state, pos } = context;
  const line = state.doc.lineAt(pos);
  const before = state.sliceDoc(line.from, pos);
  const module = INCLUDE.exec(before)?.[1];
  if (module !== undefined)
    return { from: pos - module.length, options: names.modules, validFor: /^[\w.]*$/ };
  const [word = '', owner] = /(?:(\w+)\.)?\w*$/.exec(before) ?? [];
  if (word === '' && !context.explicit) return null;
  const script = state.doc.toString();
  if (owner !== undefined) {
    const table = tableOf(owner, script, names);
    if (table === undefined) return null;
    const from = pos - (word.length - owner.length - 1);
    return { from, options: table.columns.map((one) => column(one, table)), validFor: /^\w*$/ };
  }
  const included = includedModules(script);
  const options = names.entries.map(({ module: of, entry }) =>
    entryCompletion(entry, ALWAYS.test(of) || included.has(of) ? undefined : of),
  );
  return {
    from: pos - word.length,
    options: [...columnsOf(script, names), ...options],
    validFor: /^\w*$/,
  };
}

/** The modules that the script includes by their names. */
export function includedModules(script: string): Set<string> {
  return new Set([...script.matchAll(INCLUDES)].map(([, name = '']) => name.toLowerCase()));
}

/** The table with this name or alias in the script. */
function tableOf(name: string, script: string, { tables }: Names): VocabularyTable | undefined {
  const own = tables.get(name.toLowerCase());
  if (own !== undefined) return own;
  const alias = new RegExp(`\\b(\\w+)(?:\\s+AS)?\\s+${name}\\b`, 'gi');
  for (const [, table = ''] of script.matchAll(alias)) {
    const found = tables.get(table.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The columns of the tables that the script names, each name once. */
function columnsOf(script: string, { tables }: Names): Completion[] {
  const found = new Map<string, Completion>();
  for (const [word] of script.matchAll(/\w+/g)) {
    const table = tables.get(word.toLowerCase());
    for (const one of table?.columns ?? [])
      if (table !== undefined && !found.has(one.name))
        found.set(one.name, { ...column(one, table), boost: OF_COLUMNS });
  }
  return [...found.values()];
}

function column({ name, type, about }: VocabularyColumn, table: VocabularyTable): Completion {
  return {
    ...{ label: name, type: 'property', detail: `${table.name} ${type.toLowerCase()}`.trim() },
    ...(about === '' ? {} : { info: about }),
  };
}

/** @param missing the module that the script must include for it */
function entryCompletion(
  entry: VocabularyTable | VocabularyFunction,
  missing: string | undefined,
): Completion {
  const call = 'kind' in entry ? (entry.kind === 'macro' ? '!' : '') : undefined;
  const text = `${entry.name}${call ?? ''}`;
  return {
    ...{ label: text, type: call === undefined ? 'type' : 'function' },
    detail: missing ?? '',
    info: infoOf(entry),
    ...(missing === undefined
      ? {}
      : {
          boost: OF_OTHERS,
          apply: (view: EditorView, _completion: Completion, from: number, to: number) =>
            insertWithInclude(view, { text, from, to }, missing),
        }),
  };
}

function infoOf(entry: VocabularyTable | VocabularyFunction): string {
  if (!('kind' in entry)) return entry.about;
  const args = entry.args.map(({ name, type }) => `${name} ${type}`).join(', ');
  const columns = entry.columns.map(({ name }) => name).join(', ');
  const returns = entry.returns || (columns && `table (${columns})`);
  if (args === '' && returns === '') return entry.about;
  return `${entry.name}(${args})${returns && ` → ${returns}`}\n${entry.about}`.trim();
}

function insertWithInclude(
  view: EditorView,
  { text, from, to }: { text: string; from: number; to: number },
  module: string,
): void {
  view.dispatch(insertCompletionText(view.state, text, from, to));
  view.dispatch({ changes: { from: 0, insert: `INCLUDE PERFETTO MODULE ${module};\n` } });
}
