/**
 * Reads the queries of the baseline: files of PerfettoSQL in `queries/`. A line `--- NAME key=value …` begins a
 * query; the text up to the next such line is its script. Keys:
 *   traces=SET     the traces to query (traces.ts); a line `--- * traces=SET` sets the default of the file
 *   escapes=yes    `\xNN` in the script stands for that byte, so that the file is plain text
 *   differ=REASON  why the results of the three ways differ; underscores stand for spaces
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { isTraceSet, type TraceSet } from './traces.ts';

export interface BaselineQuery {
  name: string;
  /** Name of the query file without the suffix; the digest file has the same name. */
  file: string;
  sql: string;
  traces: TraceSet;
  /** Why the results of the ways differ; undefined if they must be the same. */
  differ: string | undefined;
}

export function readQueries(directory: string): BaselineQuery[] {
  const files = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  const queries = files
    .sort()
    .flatMap((name) =>
      parseQueries(name.slice(0, -4), readFileSync(join(directory, name), 'utf8')),
    );
  const names = new Set<string>();
  for (const { name, file } of queries) {
    if (names.has(name)) throw new Error(`${file}.sql: query ${name} stands twice`);
    names.add(name);
  }
  return queries;
}

export function parseQueries(file: string, text: string): BaselineQuery[] {
  const queries: BaselineQuery[] = [];
  let defaults = new Map<string, string>();
  for (const part of text.split(/^--- /m).slice(1)) {
    const newline = part.indexOf('\n');
    const [name = '', ...pairs] = part.slice(0, newline).trim().split(/\s+/);
    const options = new Map([...defaults, ...pairs.map((pair) => keyAndValue(file, pair))]);
    if (name === '*') defaults = options;
    else queries.push(query(file, name, part.slice(newline + 1).trimEnd(), options));
  }
  return queries;
}

const KEYS = new Set(['traces', 'escapes', 'differ']);

function keyAndValue(file: string, pair: string): [string, string] {
  const equals = pair.indexOf('=');
  const key = pair.slice(0, equals);
  if (!KEYS.has(key)) throw new Error(`${file}.sql: there is no key ${key} (${pair})`);
  return [key, pair.slice(equals + 1)];
}

function query(
  file: string,
  name: string,
  script: string,
  options: Map<string, string>,
): BaselineQuery {
  const traces = options.get('traces') ?? 'few';
  if (!isTraceSet(traces)) throw new Error(`${file}.sql: there are no traces ${traces} (${name})`);
  const sql = options.get('escapes') === 'yes' ? unescaped(script) : script;
  return { name, file, sql, traces, differ: options.get('differ')?.replaceAll('_', ' ') };
}

function unescaped(script: string): string {
  const bytes = script.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return textFromBytes(Buffer.from(bytes, 'latin1'));
}
