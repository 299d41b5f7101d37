/** What the tools share: their surroundings, and the form of results and errors. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type {
  CallToolResult,
  ServerNotification,
  ServerRequest,
  ToolAnnotations,
} from '@modelcontextprotocol/sdk/types.js';
import type { Preset } from '../../http-api/contract/page.ts';
import type { Row } from '../../lib/clickhouse/client.ts';
import { asBigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { Access } from '../access.ts';
import { type Bounds, CELL_CHARS_MAX } from '../bounds.ts';
import type { Runs } from '../runs.ts';
import type { ScriptRun } from './script-run.ts';

export interface ToolContext {
  access: Access;
  bounds: Bounds;
  runs: Runs;
  presets: readonly Preset[];
  /** URL of the HTTP API, without a slash at its end, for links to traces. */
  linkBase: string;
}

export type AddTool = (server: McpServer, context: ToolContext) => void;

/** All tools only read. */
export const READS: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** Returns what `answer` does as a result; an error becomes a result that says so, which the agent can read. */
export async function resultOf(answer: () => Promise<object> | object): Promise<CallToolResult> {
  try {
    const structured = await answer();
    return {
      content: [{ type: 'text', text: JSON.stringify(structured) }],
      structuredContent: { ...structured },
    };
  } catch (thrown) {
    const { code, message } = asBigtraceError(thrown);
    return { isError: true, content: [{ type: 'text', text: `${message} (${code})` }] };
  }
}

type Extra = Pick<
  RequestHandlerExtra<ServerRequest, ServerNotification>,
  '_meta' | 'sendNotification'
>;

/** Reports progress to a client that asked for it; such clients wait longer than others. */
export function progressOf({ _meta, sendNotification }: Extra): Partial<ScriptRun> {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return {};
  return {
    onProgress: (progress, total) =>
      sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total, message: `${progress} of ${total} traces` },
      }),
  };
}

/** Rows with long cells cut. */
export function shortRows(rows: readonly Row[]): Row[] {
  return rows.map((row) => row.map(shortCell));
}

/** A value is a text, or what JSON has: numbers, and arrays or maps of the catalog. */
function shortCell<Cell>(cell: Cell): Cell | string {
  const text = typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : cell;
  if (typeof text !== 'string' || text.length <= CELL_CHARS_MAX) return cell;
  return `${text.slice(0, CELL_CHARS_MAX)}… (${text.length} characters)`;
}

/** A page of the HTTP API that opens the trace in the Perfetto UI. */
export function linkOf(base: string, address: string): string {
  return `${base}/open/${bytesFromText(address).toString('base64url')}`;
}

/** Links of the traces that rows name in their column `_trace_address`, each once, at most `max`. */
export function citationsOf(
  base: string,
  columns: readonly { name: string }[],
  rows: readonly Row[],
  max = 50,
): { trace: string; link: string }[] {
  const at = columns.findIndex(({ name }) => name === '_trace_address');
  if (at < 0) return [];
  const traces = new Set(rows.map((row) => String(row[at])));
  return [...traces].slice(0, max).map((trace) => ({ trace, link: linkOf(base, trace) }));
}
