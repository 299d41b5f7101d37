/**
 * What a session keeps: the latest definition of each name, in an order in which each comes after those that it
 * mentions. Pure.
 */
import { badRequest } from '../http-error.ts';
import {
  type Definition,
  definitionsIn,
  endsInDefinition,
  keyOf,
  plainNamesIn,
} from './definitions.ts';

/** Scripts that define something else than the others; TraceProcessor would take long for more. */
export const SCRIPTS_MAX = 1000;
export const STATEMENTS_MAX = 100;
export const BYTES_MAX = 64 * 2 ** 10;
/** Of a script in a session: its statements are looked at. */
const SCRIPT_CHARS_MAX = 2 ** 20;

/** @param scripts the statements that define something, those of each script together */
function keptOf(scripts: readonly (readonly string[])[]): Map<string, Definition> {
  let kept = new Map<string, Definition>();
  for (const definition of latestOf(scripts.flat()).flatMap(definitionsIn)) {
    if (definition.text === undefined) kept = without(kept, [definition]);
    else kept.set(definition.key, definition);
  }
  return kept;
}

/** Leaves out statements that a later one replaces: a session may have tens of megabytes of them. */
function latestOf(statements: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const text of statements) {
    const key = keyOf(text) ?? text;
    if (/^drop /i.test(text)) byKey.delete(key); // it comes last; a definition keeps the place of the first one
    byKey.set(key, text);
  }
  return [...byKey.values()];
}

/**
 * Puts each definition after those that it mentions; the order stays otherwise, also of those that mention each other: a
 * name may be that of a column.
 */
function ordered(definitions: readonly Definition[]): Definition[] {
  const mentioned = new Map(
    definitions.map((one) => [
      one,
      definitions.filter((other) => other !== one && one.mentions.has(other.name)),
    ]),
  );
  const reached = new Map(definitions.map((one) => [one, reachedFrom(one, mentioned)]));
  const position = new Map(definitions.map((one, at) => [one, at]));
  const isLater = (one: Definition, other: Definition): boolean =>
    (position.get(one) ?? 0) > (position.get(other) ?? 0);
  const placed = new Set(definitions.filter(isModule));
  const place = (one: Definition): void => {
    if (placed.has(one)) return;
    for (const other of mentioned.get(one) ?? [])
      if (!(isLater(other, one) && reached.get(other)?.has(one))) place(other);
    placed.add(one);
  };
  for (const one of definitions) place(one);
  return [...placed];
}

/** Returns the definitions that this one mentions, those that they mention, and so on. */
function reachedFrom(
  start: Definition,
  mentioned: ReadonlyMap<Definition, readonly Definition[]>,
): Set<Definition> {
  const reached = new Set(mentioned.get(start));
  for (const one of reached) for (const other of mentioned.get(one) ?? []) reached.add(other);
  return reached;
}

/** The definitions without these names, and without those that mention one that is left out. None mentions an index. */
function without(
  kept: ReadonlyMap<string, Definition>,
  names: readonly Definition[],
): Map<string, Definition> {
  const keys = new Set(names.map(({ key }) => key));
  const gone = new Set(names.filter((one) => !isIndex(one)).map(({ name }) => name));
  const rest = new Map(kept);
  for (let before = -1; before !== rest.size; ) {
    before = rest.size;
    for (const [key, one] of rest) {
      if (!keys.has(key) && !(!isModule(one) && mentionsAny(one.mentions, gone, one.name)))
        continue;
      rest.delete(key);
      if (!isIndex(one)) gone.add(one.name);
    }
  }
  return rest;
}

function isModule({ key }: Definition): boolean {
  return key.startsWith('module ');
}

function isIndex({ key }: Definition): boolean {
  return key.startsWith('index ');
}

function mentionsAny(
  mentions: ReadonlySet<string>,
  names: ReadonlySet<string>,
  own: string,
): boolean {
  return [...names].some((name) => name !== own && mentions.has(name));
}

/**
 * Returns what runs before the script: what the session keeps of these earlier scripts, without the names that the
 * script defines itself.
 * @throws invalid_option if the session would keep too much
 */
export function preludeOf(scripts: readonly (readonly string[])[], sql: string): string {
  if (sql.length > SCRIPT_CHARS_MAX)
    throw badRequest(
      `the script has ${sql.length} characters, the bound in a session is ${SCRIPT_CHARS_MAX}; the setting session turns it off`,
    );
  checkBound('scripts', scripts.length, SCRIPTS_MAX);
  const kept = keptOf(scripts);
  const own = definitionsIn(sql);
  const all = new Map([...kept, ...own.map((one) => [one.key, one] as const)]);
  const texts = [...all.values()].map(({ text = '' }) => text);
  checkBound('statements', texts.length, STATEMENTS_MAX);
  checkBound('bytes', Buffer.byteLength(texts.join('')), BYTES_MAX);
  const replayed = ordered([...without(kept, definedAnew(own)).values()]);
  return replayed.map(({ text = '' }) => `${text};\n`).join('');
}

/** Those that replace an earlier definition. A module may come twice, and what the script drops first must exist. */
function definedAnew(own: readonly Definition[]): Definition[] {
  const first = new Map<string, Definition>();
  for (const one of own) if (!first.has(one.key)) first.set(one.key, one);
  return [...first.values()].filter((one) => !isModule(one) && one.text !== undefined);
}

function checkBound(what: string, actual: number, max: number): void {
  if (actual > max)
    throw badRequest(
      `the session would keep ${actual} ${what}, the bound is ${max}; POST /session/reset forgets them, the setting session turns it off`,
    );
}

/**
 * The statements of a script that a session keeps, for the history; empty for a script that keeps none. What mentions a
 * table or view that only this script has is not kept: it would fail before every later script.
 */
export function statementsToKeep(sql: string): string[] {
  const gone = new Set(plainNamesIn(sql));
  const kept = definitionsIn(sql).filter(({ name, mentions }) => {
    const isKept = !mentionsAny(mentions, gone, name);
    if (!isKept) gone.add(name);
    return isKept;
  });
  return kept.map(({ text, key }) => text ?? `DROP PERFETTO ${key}`);
}

const SUMMARY = /^\s*(?:\/\*\s*bigtrace:.*?\*\/\s*)?SUMMARIZE\s+TRACE/is;

/** Whether the script is the specification of a summary, before which no SQL can run. */
export function isSummary(sql: string): boolean {
  return SUMMARY.test(sql);
}

const BEGINNING = /^\s*\/\*\s*bigtrace:.*?\*\//s;

/** The answer of a script that only defines: no rows. */
const NO_ROWS = '\n;SELECT NULL AS defined WHERE FALSE';

/**
 * Returns what runs after the script: without it, a script that ends with a definition would be refused, because it has
 * no columns.
 */
export function endingOf(sql: string): string {
  return endsInDefinition(sql) ? NO_ROWS : '';
}

/** Returns the text that runs: the prelude, the script, and its ending. */
export function wholeScript(prelude: string, sql: string, ending: string): string {
  return `${before(prelude, sql)}${sql}${ending}`;
}

/** What stands before the script. The comment that names the engine counts at the beginning only. */
function before(prelude: string, sql: string): string {
  return prelude === '' ? '' : `${BEGINNING.exec(sql)?.[0] ?? ''}${prelude}`;
}

/** TraceProcessor calls the text that runs the file `stdin`. */
const PLACE = /File "stdin" line (\d+)/g;

/** Returns the error with lines of the script, or of the file `session`, instead of lines of the text that runs. */
export function withOwnLines(message: string, prelude: string, sql: string): string {
  const lines = before(prelude, sql).split('\n').length - 1;
  if (lines === 0) return message;
  return message.replace(PLACE, (_, line: string) => {
    const own = Number(line) - lines;
    return own > 0 ? `File "stdin" line ${own}` : `File "session" line ${line}`;
  });
}
