/** What is asked of every trace, and how the answer becomes a row of the catalog. */
import { printable } from '../lib/common/text/byte-text.ts';
import type { CellValue } from '../lib/query-result/index.ts';

/**
 * Tables that hold what a trace recorded. A trace without a row in any of them, and without a time span, is empty:
 * a sign-in page or a file of another kind that the engine took for a trace without events.
 */
const DATA_TABLES = [
  ...['slice', 'counter', 'sched', 'thread_state', 'ftrace_event', 'android_logs', 'perf_sample'],
  ...['cpu_profile_stack_sample', 'heap_profile_allocation', 'heap_graph_object'],
  // Profiles without times (pprof, collapsed stacks) have stacks alone.
  ...['stack_profile_callsite', 'instruments_sample', 'android_dumpstate', 'package_list'],
  ...['profiler_smaps', 'vulkan_memory_allocations', 'memory_snapshot_node', 'protolog'],
  ...['surfaceflinger_layers_snapshot', 'surfaceflinger_transactions'],
  ...['window_manager_shell_transitions', 'android_game_intervention_list'],
] as const;

/**
 * Rows of (name, value). Names of TraceProcessor's own metadata stand behind a `=`, of its statistics of errors
 * and of lost data behind a `!`, of tables, with their numbers of rows, behind a `#`, warnings behind a `?`.
 */
export const METADATA_SQL = `
SELECT 'duration' AS name, end_ts - start_ts AS value FROM trace_bounds
UNION ALL SELECT 'start_time', TO_REALTIME(start_ts) FROM trace_bounds
UNION ALL SELECT '=' || name, coalesce(str_value, int_value) FROM metadata
UNION ALL SELECT '?' || key, value FROM json_each(bigtrace_warnings())
UNION ALL SELECT '!' || name, sum(value) FROM stats
  WHERE severity IN ('error', 'data_loss') AND value > 0 GROUP BY name
${DATA_TABLES.map((table) => `UNION ALL SELECT '#${table}', count(*) FROM ${table}`).join('\n')}`;

/** `partial`: the engine counted errors or lost data. */
export type Verdict = 'ok' | 'partial' | 'empty';

/** Columns of trace_catalog and the metadata they are taken from, the first that the trace has. */
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
  /** Nanoseconds. */
  duration: bigint | null;
  /** Nanoseconds since the epoch; null where the trace has no wall clock. */
  startTime: bigint | null;
  typed: Record<TypedColumn, string | null>;
  all: Map<string, string>;
  verdict: Verdict;
  /** What the engine counted of errors and lost data, by the name of the statistic. */
  errorStats: Map<string, bigint>;
  /** Of the tables of recorded data that have any. */
  rowCounts: Map<string, bigint>;
  /** What the engine could not read of it, and how often that was seen. */
  warnings: Map<string, bigint>;
}

/** `rows`: the answer to METADATA_SQL. Of metadata with several values, the lines of one text. */
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
    verdict: verdictOf(duration, rowCounts, errorStats),
    errorStats,
    rowCounts,
    warnings: counts['?'],
  };
}

function verdictOf(
  duration: bigint | null,
  rowCounts: ReadonlyMap<string, bigint>,
  errorStats: ReadonlyMap<string, bigint>,
): Verdict {
  if (rowCounts.size === 0 && (duration ?? 0n) === 0n) return 'empty';
  return errorStats.size > 0 ? 'partial' : 'ok';
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

/** A time before 1970 comes from a clock that was never set, or from a trace that is damaged. */
function wallClock(startTime: bigint | null): bigint | null {
  return startTime === null || startTime < 0n ? null : startTime;
}

/** Any value as text; blobs as hex. */
export function textOf(value: Exclude<CellValue, null>): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'string' ? value : String(value);
}

/** The first row of the extra SQL as column names and texts; NULLs are left out. */
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
