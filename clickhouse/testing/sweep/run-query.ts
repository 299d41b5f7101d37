/** Sends queries with settings to ClickHouse over HTTP. */
import type { TestEngine } from '../engine.ts';
import { type Assignment, assignmentsOf, choicesIn, groupsOf } from './assignments.ts';
import { culpritsIn } from './culprits.ts';
import type { RunQuery } from './sweep.ts';

/** A query that takes longer counts as hung. */
const RESPONSE_MS_MAX = 60_000;

export interface Login {
  url: string;
  user: string;
  password: string;
}

export function runAs({ engine }: TestEngine, user: 'admin' | 'analyst'): RunQuery {
  return runOver({
    url: `http://${engine.httpAddress}`,
    user,
    password: engine.passwords[user],
  });
}

export function runOver({ url, user, password }: Login): RunQuery {
  return async (query, settings) => {
    const address = new URL(url);
    for (const { name, value } of settings) address.searchParams.set(name, value);
    const response = await fetch(address, {
      method: 'POST',
      body: query,
      headers: {
        'X-ClickHouse-User': user,
        'X-ClickHouse-Key': password,
        'X-ClickHouse-Format': 'RowBinaryWithNamesAndTypes',
      },
      signal: AbortSignal.timeout(RESPONSE_MS_MAX),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!response.ok) throw new Error(bytes.toString().trim());
    return bytes;
  };
}

export interface Accepted {
  /** Number of all values that were tried. */
  count: number;
  accepted: Assignment[];
  /** Values that ClickHouse rejected. */
  rejected: Assignment[];
}

const SETTINGS = `SELECT concat(name, '\\t', type, '\\t', value, '\\n') FROM system.settings
  WHERE alias_for = '' AND NOT is_obsolete AND name != 'compatibility' FORMAT TSVRaw`;

/** Types whose values are not words from a list. */
const WORDLESS = /^(Bool|U?Int|NonZero|MaxThreads|Seconds|Milliseconds|Float|Double|String|Char)/;

/** Tries all values of all settings, and returns those that ClickHouse lets the user set. */
export async function acceptedAssignments(runQuery: RunQuery): Promise<Accepted> {
  const all: Assignment[] = [];
  for (const line of (await runQuery(SETTINGS, [])).toString().split('\n')) {
    const [name = '', type = '', value = ''] = line.split('\t');
    if (name === '') continue;
    const refusal = WORDLESS.test(type)
      ? ''
      : await runQuery('SELECT 1', [{ name, value: 'no such word' }]).then(() => '', String);
    all.push(...assignmentsOf({ name, type, value }, choicesIn(refusal)));
  }
  const agrees = (some: readonly Assignment[]): Promise<boolean> =>
    runQuery('SELECT 1', some).then(
      () => true,
      () => false,
    );
  const rejected: Assignment[] = [];
  for (const group of groupsOf(all, 100))
    rejected.push(...(await culpritsIn(group, agrees)).flat());
  return { count: all.length, accepted: all.filter((each) => !rejected.includes(each)), rejected };
}
