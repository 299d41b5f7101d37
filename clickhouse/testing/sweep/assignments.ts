/** Values that a sweep assigns to each setting of ClickHouse. */

export interface Setting {
  name: string;
  /** Type as in system.settings: `Bool`, `UInt64`, `Seconds` and so on. */
  type: string;
  /** The value in effect. */
  value: string;
}

export interface Assignment {
  name: string;
  value: string;
}

/** Values for text settings: the empty text, and one that is not a default. */
const TEXTS = ['', 'x'];

const HUGE = '18446744073709551615';

/** Numbers at or near the limits of each type. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  UInt64: ['0', '1', HUGE],
  UInt64Auto: ['0', '1', HUGE],
  NonZeroUInt64: ['1', HUGE],
  MaxThreads: ['1', '64'], // ClickHouse starts this many threads
  Seconds: ['0', '1', '9223372036'],
  Milliseconds: ['0', '1', '9223372036854'],
  Int64: ['0', '1', '-1', '9223372036854775807'],
  Int32: ['0', '1', '-1', '2147483647'],
  Float: ['0', '1', '1e30'],
  FloatAuto: ['0', '1', '1e30'],
  Double: ['0', '1', '1e300'],
};

/** Values for settings whose text has a special meaning. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  session_timezone: ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia'],
  additional_table_filters: ["{'system.one':'0'}"],
};

/**
 * Returns values that differ from the one in effect.
 * @param choices the words that the setting accepts, if ClickHouse lists them; without them arbitrary texts are used
 */
export function assignmentsOf(setting: Setting, choices: readonly string[]): Assignment[] {
  const { name, value: current } = setting;
  return valuesOf(setting, choices)
    .filter((value) => value !== current)
    .map((value) => ({ name, value }));
}

function valuesOf({ name, type, value }: Setting, choices: readonly string[]): readonly string[] {
  const named = NAMED[name];
  if (named !== undefined) return named;
  if (type === 'Bool') return [value === '1' ? '0' : '1'];
  if (type === 'BoolAuto') return ['0', '1', 'auto'];
  if (type === 'Char') return ['x', ',', '\t'];
  return NUMBERS[type] ?? (choices.length > 0 ? choices : TEXTS);
}

/** Parses the accepted words from ClickHouse's error for an invalid value. */
export function choicesIn(refusal: string): string[] {
  const list = /Must be one of \[([^\]]*)\]/.exec(refusal)?.[1] ?? '';
  return [...list.matchAll(/'([^']*)'/g)].map(([, word = '']) => word);
}

/** Values of `compatibility`; each sets the defaults of that version. */
export const COMPATIBILITY_LEVELS = [
  ...['18.16', '19.17', '20.8', '21.3', '21.8', '22.3', '22.8', '23.3', '23.8'],
  ...['24.3', '24.8', '25.3', '25.8', '26.3', '26.7'],
];

/** Splits assignments into groups of at most `size`, each with distinct settings. */
export function groupsOf(assignments: readonly Assignment[], size: number): Assignment[][] {
  const rounds: Assignment[][] = [];
  const used = new Map<string, number>();
  for (const assignment of assignments) {
    const round = used.get(assignment.name) ?? 0;
    used.set(assignment.name, round + 1);
    rounds[round] = [...(rounds[round] ?? []), assignment];
  }
  return rounds.flatMap((round) =>
    Array.from({ length: Math.ceil(round.length / size) }, (_, at) =>
      round.slice(at * size, (at + 1) * size),
    ),
  );
}
