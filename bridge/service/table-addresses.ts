/**
 * Reads the trace addresses of bigtrace_table from ClickHouse, if there are too many for the header of a request. The
 * view then sends one empty address instead (clickhouse/views/query-views.mjs).
 */
import { Readable } from 'node:stream';
import { BigtraceError } from '../../lib/common/errors.ts';
import { SecretFile } from '../../lib/common/network/secret-file.ts';
import { stringsOfBlocks } from '../native/input.ts';
import type { QueryInput } from '../request/request.ts';

const ADDRESS_BYTES_MAX = 64 * 1024;

/** The ClickHouse whose tables are read, and a user who may read those of the database bigtrace. */
export interface TableSource {
  url: string;
  user: string;
  passwordFile: string | undefined;
}

const QUERY =
  "SELECT CAST(address, 'String') FROM merge('bigtrace', concat('^\\\\Q', {table:String}, '\\\\E$')) FORMAT Native";

/** ClickHouse waits for the whole result before it answers, so that an error cannot follow addresses. */
const SETTINGS = {
  query: QUERY,
  wait_end_of_query: '1',
  output_format_native_encode_types_in_binary_format: '0',
};

/** Whether the view of a table has left its addresses to the bridge. */
export function leavesAddresses({ traces }: QueryInput): boolean {
  return traces.length === 1 && traces[0]?.length === 0;
}

/** @throws invalid_option without a source; catalog_failed if ClickHouse does not answer with addresses */
export async function* addressesOfTable(
  source: TableSource | undefined,
  table: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer[]> {
  if (source === undefined)
    throw new BigtraceError(
      'invalid_option',
      `table ${table} has too many addresses for a request: start bigtrace bridge with --clickhouse, so that it reads them itself`,
    );
  const response = await responseOf(source, table, signal).catch((cause: unknown) => {
    throw failure(source, cause instanceof Error ? cause.message : String(cause), cause);
  });
  if (!response.ok || response.body === null) throw failure(source, await response.text());
  yield* stringsOfBlocks(Readable.fromWeb(response.body), ADDRESS_BYTES_MAX);
}

function responseOf(
  { url, user, passwordFile }: TableSource,
  table: string,
  signal: AbortSignal,
): Promise<Response> {
  const target = new URL(url);
  for (const [name, value] of Object.entries(SETTINGS)) target.searchParams.set(name, value);
  target.searchParams.set('param_table', escaped(table));
  const password = passwordFile === undefined ? '' : new SecretFile(passwordFile).text;
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password };
  return fetch(target, { headers, signal });
}

/** Values of query parameters are in ClickHouse's escaped form. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

function failure({ url }: TableSource, text: string, cause?: unknown): BigtraceError {
  return new BigtraceError('catalog_failed', `ClickHouse at ${url}: ${text}`, { cause });
}
