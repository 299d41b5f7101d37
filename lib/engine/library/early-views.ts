/**
 * The views of the prelude, which scripts find in every trace. TraceProcessor creates them at the end of each trace, which takes
 * longer than parsing a small one, although most are the same in all traces. These are created in the initial memory of all
 * instances: with a prelude that has nothing else, which is then replaced with one that has the rest.
 */
import type { SqlPackage } from '../script/sql-packages.ts';
import type { LibraryModule } from './modules.ts';

/**
 * The build whose results were compared with those of an engine that creates the views at the end of a trace. Other builds of
 * Perfetto's development report the same version with another commit, and may have another prelude.
 */
export const COMPARED_VERSION = /^Perfetto v55\.3-df2b6e4be\b/;

const PRELUDE = 'prelude';
/** TraceProcessor includes the modules with this beginning at the end of a trace; the others, when an instance starts. */
const AFTER = `${PRELUDE}.after_eof.`;

/** The statement that creates the views, once `early` is registered. */
export const INCLUDE_EARLY_VIEWS = `INCLUDE PERFETTO MODULE ${AFTER}*;\n`;

/** Each statement ends with a line. */
const STATEMENT_ENDS = /(?<=;\n)/;
const CREATED = /^CREATE PERFETTO (\w+) (\w+)/m;
const EARLY_KINDS = new Set(['VIEW', 'MACRO']);

/**
 * Divides the prelude: `early` has the views and macros that depend on no trace, `late` the other statements for the end of a
 * trace; both include what they included. Lines keep their numbers. What TraceProcessor has run already is in neither.
 */
export function dividedPrelude(prelude: readonly LibraryModule[]): {
  early: SqlPackage;
  late: SqlPackage;
} {
  const modules = prelude.map(({ name, sql }) => ({ name, statements: sql.split(STATEMENT_ENDS) }));
  const after = modules.filter(({ name }) => name.startsWith(AFTER));
  const early = earlyStatements(after.flatMap(({ statements }) => statements));
  const packageOf = (isIn: (statement: string) => boolean): SqlPackage => ({
    name: PRELUDE,
    modules: modules.map(({ name, statements }) => {
      const texts = statements.map((each) =>
        name.startsWith(AFTER) && isIn(each) ? each : lineFeeds(each),
      );
      return { name, sql: Buffer.from(texts.join('')) };
    }),
  });
  return {
    early: packageOf((each) => early.has(each) || !CREATED.test(each)),
    late: packageOf((each) => !early.has(each)),
  };
}

/** Returns the views and macros that name nothing of what the other statements create. */
function earlyStatements(statements: readonly string[]): Set<string> {
  const early = new Map<string, string>();
  const late: string[] = [];
  for (const each of statements) {
    const [, kind = '', name = ''] = CREATED.exec(each) ?? [];
    if (EARLY_KINDS.has(kind)) early.set(each, name);
    else if (name !== '') late.push(name);
  }
  // The loop reaches what it appends.
  for (const name of late) {
    const isNamed = new RegExp(`\\b${name}\\b`);
    for (const [each, created] of early)
      if (isNamed.test(each)) {
        early.delete(each);
        late.push(created);
      }
  }
  return new Set(early.keys());
}

function lineFeeds(text: string): string {
  return text.replace(/[^\n]+/g, '');
}
