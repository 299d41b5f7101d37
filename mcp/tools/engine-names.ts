/** Names of tables and functions of the engine, from one trace. */
import { arrayLiteral, literal } from '../../lib/common/text/sql-literal.ts';
import type { ToolContext } from './tool.ts';

interface EngineName {
  kind: 'table' | 'function';
  name: string;
}

const SCRIPT = `SELECT 'table' AS kind, name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT GLOB '[_]*'
UNION SELECT 'function', name FROM pragma_function_list WHERE name NOT GLOB '[_]*'
ORDER BY kind, name`;

/** Returns an empty list if there is no trace to ask. */
export async function engineNames(
  { access, defaultTraces }: ToolContext,
  signal: AbortSignal,
): Promise<EngineName[]> {
  for await (const [trace] of access.list(defaultTraces, 1, signal)) {
    if (trace === undefined) continue;
    const rows = await access.rows(
      `SELECT kind, name FROM bigtrace.bigtrace(traces = ${arrayLiteral([trace.address])}, sql = ${literal(SCRIPT)})`,
      { signal },
    );
    return rows.map(([kind, name]) => ({ kind: kind as EngineName['kind'], name: name ?? '' }));
  }
  return [];
}
