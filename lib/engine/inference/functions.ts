/** The kinds of cells that SQLite's and Perfetto's functions return. A function that is not listed may return any. */
import { ANY, BLOB, INT, NULL, REAL, TEXT } from './kinds.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

const RETURNS: readonly [kinds: number, names: string[]][] = [
  [
    INT,
    words(`count dense_rank glob hash instr length like ntile octet_length rank regexp row_number random
      sign slice_is_ancestor to_monotonic to_realtime trace_dur trace_end trace_start unicode`),
  ],
  [
    REAL,
    words(`acos acosh asin asinh atan atan2 atanh avg cos cosh cume_dist degrees exp julianday ln log
      log10 log2 median percent_rank percentile percentile_cont percentile_disc pi pow power radians
      round sin sinh sqrt tan tanh total`),
  ],
  [
    TEXT,
    words(`abs_time_str base64_encode char concat concat_ws date datetime demangle format group_concat
      hex json_type lower ltrim package_lookup printf quote regexp_extract regexp_replace_simple
      replace reverse rtrim str_split strftime string_agg time timediff to_timecode trim typeof upper`),
  ],
  [TEXT | BLOB, words('substr substring')],
  [INT | REAL, words('unixepoch')],
];

const RETURNED: ReadonlyMap<string, number> = new Map(
  RETURNS.flatMap(([kinds, names]) => names.map((name): [string, number] => [name, kinds | NULL])),
);

/** Functions that return their first argument or NULL. */
const FIRST_ARGUMENT = new Set(
  words('first_value lag last_non_null last_value likelihood likely nth_value nullif unlikely'),
);

/** Functions that return one of their arguments or NULL. */
const ANY_ARGUMENT = new Set(words('coalesce ifnull max min'));

/** Functions of numbers that return an integer for an integer. */
const NUMERIC = new Set(words('abs ceil ceiling floor mod sum trunc'));

/** Returns the kinds that a function may return, given the kinds of each argument. */
export function kindsReturned(name: string, args: readonly number[]): number {
  const returned = RETURNED.get(name);
  if (returned !== undefined) return returned;
  const [first = ANY] = args;
  if (FIRST_ARGUMENT.has(name)) return first | NULL;
  if (ANY_ARGUMENT.has(name)) return args.reduce((all, kinds) => all | kinds, NULL);
  if (!NUMERIC.has(name)) return ANY;
  return NULL | (first & INT) | (first & (REAL | TEXT | BLOB) ? (first & INT) | REAL : 0);
}
