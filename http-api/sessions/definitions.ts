/** The statements of a script that define something for later scripts, and have no rows themselves. Pure. */

export interface Definition {
  /** What it defines: its kind and its name in lower case. A later definition of the same replaces it. */
  key: string;
  name: string;
  /** Its text on one line, without comments; undefined: it drops what `key` says. */
  text: string | undefined;
  /** The identifiers in it, in lower case, without those after AS, which name something of its own. */
  mentions: ReadonlySet<string>;
}

/** Comments, quoted texts and names, semicolons, identifiers, blanks, and other characters, each one at a time. */
const TOKEN =
  /--[^\n]*|\/\*.*?(?:\*\/|$)|'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)|;|[\p{L}_$][\p{L}\p{N}_$]*|\s+|./gsu;
const COMMENT = /^(--|\/\*)/;
const IDENTIFIER = /^[\p{L}_$]/u;
const QUOTED = /^["`[]/;

const MAY_DEFINE = /perfetto/i;
const CREATE =
  /^create (?:or replace )?perfetto (table|view|function|macro|index) (?:if not exists )?["`[]?([\p{L}\p{N}_$]+)/iu;
const DROP =
  /^drop perfetto (table|view|function|macro|index) (?:if exists )?["`[]?([\p{L}\p{N}_$]+)/iu;
const PLAIN =
  /^create (?:temp(?:orary)? )?(?:virtual )?(?:table|view) (?:if not exists )?(?:(?:main|temp) ?\. ?)?["`[]?([\p{L}\p{N}_$]+)/iu;
const INCLUDE = /^include perfetto module ([\p{L}\p{N}_$.*]+)/iu;

/** Returns the definitions in the order of the script. */
export function definitionsIn(sql: string): Definition[] {
  return MAY_DEFINE.test(sql) ? statementsIn(sql).flatMap((one) => definitionIn(one) ?? []) : [];
}

/** Returns what a definition's own text defines or drops, without reading the text to its end. */
export function keyOf(text: string): string | undefined {
  return definitionIn({ text, mentions: new Set() })?.key;
}

/** Names of the tables and views that the script creates without PERFETTO, in lower case: later scripts lack them. */
export function plainNamesIn(sql: string): string[] {
  if (!MAY_DEFINE.test(sql)) return [];
  return statementsIn(sql).flatMap(({ text }) => PLAIN.exec(text)?.[1]?.toLowerCase() ?? []);
}

/** Whether the last statement is a definition, so that the script has no columns. */
export function endsInDefinition(sql: string): boolean {
  const last = MAY_DEFINE.test(sql) ? statementsIn(sql).at(-1) : undefined;
  return last !== undefined && definitionIn(last) !== undefined;
}

function definitionIn({ text, mentions }: Statement): Definition | undefined {
  const included = INCLUDE.exec(text)?.[1];
  if (included !== undefined) {
    const name = included.toLowerCase();
    return { key: `module ${name}`, name, text, mentions: new Set<string>() };
  }
  const created = CREATE.exec(text);
  const [, kind = '', given = ''] = created ?? DROP.exec(text) ?? [];
  if (kind === '') return undefined;
  const name = given.toLowerCase();
  return { key: `${kindOf(kind)} ${name}`, name, text: created ? text : undefined, mentions };
}

/** Tables and views share their names. */
function kindOf(word: string): string {
  const kind = word.toLowerCase();
  return kind === 'view' ? 'table' : kind;
}

interface Statement {
  text: string;
  mentions: Set<string>;
}

function statementsIn(sql: string): Statement[] {
  const statements: Statement[] = [];
  let parts: string[] = [];
  let mentions = new Set<string>();
  let isAfterAs = false;
  const end = (): void => {
    const text = parts.join('').trim();
    if (text !== '') statements.push({ text, mentions });
    parts = [];
    mentions = new Set();
  };
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === ';') end();
    else if (COMMENT.test(token) || token.trim() === '') {
      if (parts.at(-1) !== ' ') parts.push(' ');
    } else {
      parts.push(token);
      const name = QUOTED.test(token) ? token.slice(1, -1) : IDENTIFIER.test(token) ? token : '';
      if (name !== '' && !isAfterAs) mentions.add(name.toLowerCase());
      isAfterAs = token.toLowerCase() === 'as';
    }
  }
  end();
  return statements;
}
