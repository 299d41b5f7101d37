/** The script that reads the metadata of a trace, and the conversion of its result to catalog values. */
import { printable } from '../lib/common/text/byte-text.ts';
import { INCOMPLETE } from '../lib/common/text/incomplete.ts';
import type { CellValue } from '../lib/query-result/index.ts';

/**
 * Tables of recorded data. A trace that has no row in any of them and no time span is empty: for example a sign-in page
 * or another file that the engine parsed as a trace without events.
 */
const DATA_TABLES = [
  ...['slice', 'counter', 'sched', 'thread_state', 'ftrace_event', 'android_logs', 'perf_sample'],
  ...['cpu_profile_stack_sample', 'heap_profile_allocation', 'heap_graph_object'],
  // Profiles without timestamps (pprof, collapsed stacks) contain only stacks.
  ...['stack_profile_callsite', 'instruments_sample', 'android_dumpstate', 'package_list'],
  ...['profiler_smaps', 'vulkan_memory_allocations', 'memory_snapshot_node', 'protolog'],
  ...['surfaceflinger_layers_snapshot', 'surfaceflinger_transactions'],
  ...['window_manager_shell_transitions', 'android_game_intervention_list'],
] as const;

/**
 * Returns rows of (name, value). A prefix marks the kind of name: `=` TraceProcessor's metadata, `!` statistics of
 * errors and data loss, `#` a table with its row count, `?` a warning.
 */
export const METADATA_SQL = `
SELECT 'duration' AS name, end_ts - start_ts AS value FROM trace_bounds
UNION ALL SELECT 'start_time', TO_REALTIME(start_ts) FROM trace_bounds
UNION ALL SELECT '=' || name, coalesce(str_value, int_value) FROM metadata
UNION ALL SELECT '?' || key, value FROM json_each(bigtrace_warnings())
UNION ALL SELECT '!' || name, sum(value) FROM stats
  WHERE severity IN ('error', 'data_loss') AND value > 0 GROUP BY name
${DATA_TABLES.map((table) => `UNION ALL SELECT '#${table}', count(*) FROM ${table}`).join('\n')}`;

/** `partial`: the engine counted errors or data loss, or a warning says that data is missing. `empty`: see DATA_TABLES. */
export type Verdict = 'ok' | 'partial' | 'empty';

/** Columns of trace_catalog with the metadata keys that they are taken from; the first key with a value is used. */
const TYPED = {
  format: ['trace_type'],
  uuid: ['trace_uuid'],
  system_name: ['system_name', 'cr-a-os-name', 'cr-os-name'],
  os_release: ['system_release', 'cr-os-version'],
  arch: ['system_machine', 'cr-os-arch'],
  device: ['android_device_manufacturer', 'cr-hardware-class'],
  android_build: ['android_build_fingerprint'],
  android_sdk: ['android_sdk_version'],
  chrome_version: ['cr-a-product-version', 'cr-product-version'],
  session_name: ['unique_session_name'],
} as const satisfies Record<string, readonly string[]>;

export type TypedColumn = keyof typeof TYPED;
export const TYPED_COLUMNS = Object.keys(TYPED) as TypedColumn[];

export interface TraceMetadata {
  /** In nanoseconds. */
  duration: bigint | null;
  /** Nanoseconds since the epoch; null if the trace has no wall clock. */
  startTime: bigint | null;
  typed: Record<TypedColumn, string | null>;
  all: Map<string, string>;
  verdict: Verdict;
  /** Counts of errors and data loss, by the name of the engine's statistic. */
  errorStats: Map<string, bigint>;
  /** Row counts of the tables of recorded data, without empty tables. */
  rowCounts: Map<string, bigint>;
  /** Number of occurrences of each warning about parts that the engine could not read. */
  warnings: Map<string, bigint>;
}

/** Converts the rows of METADATA_SQL. Multiple values of one key are joined by newlines. */
export function metadataOf(rows: readonly CellValue[][]): TraceMetadata {
  const own = new Map<string, CellValue>();
  const all = new Map<string, string>();
  const counts = {
    '!': new Map<string, bigint>(),
    '#': new Map<string, bigint>(),
    '?': new Map<string, bigint>(),
  };
  for (const [name, value = null] of rows) {
    if (typeof name !== 'string' || value === null) continue;
    const [kind, key] = [name.charAt(0), name.slice(1)];
    if (kind === '=') {
      const text = textOf(value);
      const before = all.get(key);
      all.set(key, before === undefined ? text : `${before}\n${text}`);
    } else if (kind === '!' || kind === '#' || kind === '?') {
      if (typeof value === 'bigint' && value > 0n) counts[kind].set(key, value);
    } else own.set(name, value);
  }
  const duration = integer(own.get('duration'));
  const [errorStats, rowCounts] = [counts['!'], counts['#']];
  return {
    duration,
    startTime: wallClock(integer(own.get('start_time'))),
    typed: typedOf(all),
    all,
    verdict: verdictOf(duration, rowCounts, errorStats.size > 0 || isIncomplete(counts['?'])),
    errorStats,
    rowCounts,
    warnings: counts['?'],
  };
}

function verdictOf(
  duration: bigint | null,
  rowCounts: ReadonlyMap<string, bigint>,
  lostData: boolean,
): Verdict {
  if (rowCounts.size === 0 && (duration ?? 0n) === 0n) return 'empty';
  return lostData ? 'partial' : 'ok';
}

function isIncomplete(warnings: ReadonlyMap<string, bigint>): boolean {
  return [...warnings.keys()].some((warning) => warning.startsWith(INCOMPLETE));
}

function typedOf(all: ReadonlyMap<string, string>): Record<TypedColumn, string | null> {
  const entries = TYPED_COLUMNS.map((column) => {
    const keys: readonly string[] = TYPED[column];
    const value = keys.map((key) => all.get(key)).find((text) => text !== undefined && text !== '');
    return [column, value ?? null] as const;
  });
  return Object.fromEntries(entries) as Record<TypedColumn, string | null>;
}

function integer(value: CellValue | undefined): bigint | null {
  return typeof value === 'bigint' ? value : null;
}

/** Returns null for a time before 1970: the clock was never set, or the trace is damaged. */
function wallClock(startTime: bigint | null): bigint | null {
  return startTime === null || startTime < 0n ? null : startTime;
}

/** Any value as text; blobs as hexadecimal. */
export function textOf(value: Exclude<CellValue, null>): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'string' ? value : String(value);
}

/** Converts the first row of the extra SQL to column names and texts, without NULLs. */
export function extraOf(
  columnNames: readonly string[],
  row: readonly CellValue[],
): Map<string, string> {
  const extra = new Map<string, string>();
  for (const [at, name] of columnNames.entries()) {
    const value = row[at] ?? null;
    if (value !== null) extra.set(printable(name), textOf(value));
  }
  return extra;
}
