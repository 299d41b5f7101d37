/** Answers the requests of the views: rows, the columns of a script, failures, progress. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { findsColumns, HEARTBEAT_MS, writeRows } from '../commands/query.ts';
import { runFailures, runProgress } from '../commands/reports.ts';
import { structureOf } from '../commands/schema.ts';
import { errorLine } from '../error-line.ts';
import type { BridgeClient } from '../grpc/bridge-client.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import { blockOf, NativeRows } from '../native/rows.ts';
import { rowOfHeader } from '../request/header.ts';
import { type QueryInput, queryInput, schemaInput } from '../request/request.ts';
import { checkArguments } from '../request/view-arguments.ts';
import { errorBlock, READ_BUFFER_BYTES, URL_BEATS } from './blocks.ts';
import { memberOf, writeShare } from './share-rows.ts';
import type { SharedQueries } from './shares.ts';
import { addressesOfTable, leavesAddresses, type TableSource } from './table-addresses.ts';

/** The reader has gone, so nobody could read an error. */
class ReaderGone extends Error {}

/** One request, with what is needed to answer it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  client: BridgeClient;
  /** Undefined if the bridge may not read tables. */
  tables: TableSource | undefined;
  shares: SharedQueries;
}

/** An exchange, with a signal that is aborted when nobody reads the answer any longer. */
type LiveExchange = Exchange & { gone: AbortSignal };

/** Writes the answer. The response has ended when it resolves. */
export async function answer(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const gone = new AbortController();
  response.on('close', () => gone.abort(new ReaderGone()));
  try {
    await write({ ...exchange, gone: gone.signal });
    response.end();
  } catch (thrown) {
    if (!gone.signal.aborted) fail(response, commandOf(request), asBigtraceError(thrown));
  }
}

async function write(exchange: LiveExchange): Promise<void> {
  const { response, client, gone } = exchange;
  const command = commandOf(exchange.request);
  if (command === 'rows') await rows(exchange);
  else if (command === 'share') await share(exchange);
  else if (command === 'schema') await schema(exchange);
  else if (command === 'check') check(exchange);
  else if (command === 'failures') await runFailures(client, response, gone);
  else if (command === 'progress') await runProgress(client, response, gone);
  else
    throw new BigtraceError(
      'invalid_option',
      `X-Bigtrace-Command '${command}' must be rows, share, schema, check, failures or progress`,
    );
}

async function rows({ request, response, client, tables, gone }: LiveExchange): Promise<void> {
  const view = headerOf(request, 'x-bigtrace-view');
  const row = rowOfHeader(headerOf(request, 'x-bigtrace-request'));
  const table = headerOf(request, 'x-bigtrace-table');
  const input = queryInput(row, table !== undefined);
  const complete = await withStructure(client, input, view, gone);
  const more =
    table !== undefined && leavesAddresses(complete)
      ? addressesOfTable(tables, Buffer.from(table, 'base64').toString(), gone)
      : undefined;
  await writeRows(client, more === undefined ? complete : { ...complete, traces: [] }, {
    stdout: response,
    view,
    more,
    mayRepeat: true,
    writerOf: (columns, output) =>
      new NativeRows(columns, output, { beats: URL_BEATS, begun: false }),
    heartbeatBelow: READ_BUFFER_BYTES,
    signal: gone,
  });
}

async function share({ request, response, client, shares, gone }: LiveExchange): Promise<void> {
  const view = headerOf(request, 'x-bigtrace-view') ?? '';
  const member = memberOf(headerOf(request, 'x-bigtrace-share'));
  const row = rowOfHeader(headerOf(request, 'x-bigtrace-request'));
  const input = await withStructure(client, queryInput(row, false), view, gone);
  await writeShare({ client, shares, input, view, member, response, gone });
}

/** Adds the columns that the query has received for its script: the views name them only if the client did. */
async function withStructure(
  client: BridgeClient,
  input: QueryInput,
  view: string | undefined,
  gone: AbortSignal,
): Promise<QueryInput> {
  if (input.structure !== '' || !findsColumns(view)) return input;
  const traces = input.list?.sample ?? input.traces;
  const columns = await client.schema({ ...input, again: true }, traces, gone);
  return { ...input, structure: structureOf(columns) };
}

/** Writes one block with the structure, and heartbeats before it. */
async function schema({ request, response, client, gone }: LiveExchange): Promise<void> {
  const input = schemaInput(rowOfHeader(headerOf(request, 'x-bigtrace-request')));
  const heartbeat = setInterval(() => response.write(URL_BEATS.long), HEARTBEAT_MS);
  try {
    const structure = structureOf(await client.schema(input, input.traces, gone));
    response.write(blockOf('structure', 'String', lengthAndBytes(bytesFromText(structure))));
  } finally {
    clearInterval(heartbeat);
  }
}

/** Writes one block if the views in the statement have all arguments of their calls. */
function check({ request, response }: LiveExchange): void {
  const statement = Buffer.from(headerOf(request, 'x-bigtrace-statement') ?? '', 'base64');
  checkArguments(textFromBytes(statement));
  response.write(blockOf('ok', 'UInt8', Buffer.of(1)));
}

function commandOf(request: IncomingMessage): string {
  return headerOf(request, 'x-bigtrace-command') ?? '';
}

/** A header that is sent once. */
function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Sends the error: with status 500, or in a block if rows or heartbeats were sent. Reports are cut off then. */
function fail(response: ServerResponse, command: string, error: BigtraceError): void {
  const line = errorLine(error);
  if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' }).end(line);
  else if (command === 'rows' || command === 'share')
    response.end(Buffer.concat([URL_BEATS.short.subarray(1), errorBlock(line)]));
  else if (command === 'schema') response.end(errorBlock(line));
  else response.destroy();
}
