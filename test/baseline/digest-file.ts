/**
 * Reads and writes the files in `digests/`, one for each query file. Each query has a line `--- QUERY`, a
 * line with the ways, and a line for each trace with its result for each way, separated by tabs. The trace `*` stands
 * for all traces that have no line.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { COLUMNS, type Lines, type QueryRecord, WHOLE_QUERY } from './record.ts';

const OTHERS = '*';
const NOTHING = '-';

/** Records by name of the query. */
export type Digests = Map<string, QueryRecord>;

/** @param tracesOf returns the traces of a query, for which `*` may stand */
export function readDigests(path: string, tracesOf: (query: string) => readonly string[]): Digests {
  const digests: Digests = new Map();
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  for (const part of text.split(/^--- /m).slice(1)) {
    const [name = '', ways = '', ...lines] = part.trimEnd().split('\n');
    digests.set(name, recordOfLines(ways.split('\t').slice(1), lines, tracesOf(name)));
  }
  return digests;
}

function recordOfLines(ways: string[], lines: string[], traces: readonly string[]): QueryRecord {
  const record: QueryRecord = new Map(ways.map((way) => [way, new Map()]));
  const fields = lines.map((line) => line.split('\t'));
  const named = new Set(fields.map(([trace]) => trace));
  for (const [trace = '', ...results] of fields)
    for (const one of trace === OTHERS ? traces.filter((path) => !named.has(path)) : [trace])
      ways.forEach((way, at) => {
        const result = results[at] ?? NOTHING;
        if (result !== NOTHING) record.get(way)?.set(one, result);
      });
  return record;
}

export function writeDigests(path: string, digests: Digests): void {
  const parts = [...digests].map(([name, record]) => `--- ${name}\n${textOf(record)}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, parts.join(''));
}

function textOf(record: QueryRecord): string {
  const ways = [...record.values()];
  const traces = [...new Set(ways.flatMap((lines) => [...lines.keys()]))].sort();
  const lines = traces.map((trace) => ({ trace, results: resultsOf(ways, trace) }));
  const others = mostCommon(lines.filter(({ trace }) => !isOfQuery(trace)));
  const own = lines.filter(({ trace, results }) => isOfQuery(trace) || results !== others);
  const all = others === undefined ? own : [...own, { trace: OTHERS, results: others }];
  return [
    `\t${[...record.keys()].join('\t')}\n`,
    ...all.map(({ trace, results }) => `${trace}\t${results}\n`),
  ].join('');
}

function resultsOf(ways: Lines[], trace: string): string {
  return ways.map((lines) => lines.get(trace) ?? NOTHING).join('\t');
}

function isOfQuery(trace: string): boolean {
  return trace === WHOLE_QUERY || trace === COLUMNS;
}

/** Returns the most common result if at least two traces have it. */
function mostCommon(lines: { results: string }[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { results } of lines) counts.set(results, (counts.get(results) ?? 0) + 1);
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return most !== undefined && most[1] > 1 ? most[0] : undefined;
}
