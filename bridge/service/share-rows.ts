/** Answers a server of a cluster that asks for its share of a query: which query that is, and the rows. */
import { hash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { addressesDigest } from '../../lib/common/addresses/addresses-digest.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { Table } from '../cells/trace-rows.ts';
import { parseStructure } from '../columns/structure.ts';
import { findsColumns, remedied, startHeartbeat } from '../commands/query.ts';
import { Rows } from '../commands/query-stream.ts';
import type { BridgeClient } from '../grpc/bridge-client.ts';
import { NativeRows } from '../native/rows.ts';
import { Output } from '../output.ts';
import type { QueryInput } from '../request/request.ts';
import { checkArguments } from '../request/view-arguments.ts';
import { READ_BUFFER_BYTES, URL_BEATS } from './blocks.ts';
import type { Share } from './share.ts';
import type { Member, SharedQueries } from './shares.ts';

/**
 * Reads the header X-Bigtrace-Share: the cluster, the server, the number of servers, and the setting
 * skip_unavailable_shards, each in base64, joined by `.`.
 * @throws invalid_option if it is missing, the cluster is unknown, or ClickHouse would hide the loss of a server
 */
export function memberOf(header: string | undefined): Member {
  const texts = (header ?? '').split('.').map((text) => Buffer.from(text, 'base64').toString());
  const [cluster = '', server = '', count = '', skips = ''] = texts;
  const servers = Number(count);
  if (server === '')
    throw new BigtraceError('invalid_option', 'the header X-Bigtrace-Share is missing');
  if (!(servers > 0))
    throw new BigtraceError(
      'invalid_option',
      `ClickHouse has no cluster ${cluster}; system.clusters lists them`,
    );
  if (skips !== 'false' && skips !== '0')
    throw new BigtraceError(
      'invalid_option',
      'with skip_unavailable_shards = 1 ClickHouse would leave out the rows of a lost server; set it to 0',
    );
  return { cluster, server, servers };
}

export interface ShareRequest {
  client: BridgeClient;
  shares: SharedQueries;
  /** With its structure. */
  input: QueryInput;
  view: string;
  member: Member;
  response: Writable;
  /** Aborted when the server reads no more. */
  gone: AbortSignal;
}

/** Resolves when the share is written. @throws the error that all servers of the query report */
export async function writeShare(request: ShareRequest): Promise<void> {
  const { client, shares, input, view, member, response, gone } = request;
  checkArguments(input.statement);
  const isFound = findsColumns(view);
  const columns = parseStructure(input.structure, isFound);
  const { cluster } = member;
  const errorToReport = async (error: unknown): Promise<unknown> =>
    isFound ? await remedied(error, { client, input, columns, view, cluster }) : error;
  const share = shares.join(keyOf(request), member, { input, errorToReport });
  const output = new Output(response);
  const writer = new NativeRows(columns, output, { beats: URL_BEATS, begun: false });
  const rows = new Rows(new Table(columns.map(({ name }) => name)), writer);
  const beat = { heartbeatBelow: READ_BUFFER_BYTES, failed: () => share.leave() };
  const heartbeat = startHeartbeat(output, writer, beat);
  const left = new Promise<never>((_, reject) => {
    response.on('error', reject); // also after an error: rows that were being written then come too late
    gone.addEventListener('abort', () => reject(gone.reason), { once: true });
  });
  try {
    const written = writeRows(share, rows).then(() => output.drain());
    await Promise.race([written, share.failed, left]);
    await Promise.race([writer.finish(), left]); // no error can follow the end: others report it
  } catch (error) {
    clearInterval(heartbeat); // it would write rows of which some columns lack cells
    if (error instanceof BigtraceError && !gone.aborted) await share.fail(error);
    share.leave(); // an error of writing
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

async function writeRows(share: Share, rows: Rows): Promise<void> {
  for await (const each of share.rows()) {
    await rows.write(each);
    if (share.isEmpty) await rows.flush();
  }
  await rows.flush();
  rows.end();
}

/** The same for the servers that share a query. */
function keyOf({ input, view, member }: ShareRequest): string {
  const { queryId, user, sql, traces, structure } = input;
  const texts = [queryId, user, view, member.cluster, structure, sql.toString('latin1')];
  return `${hash('sha256', JSON.stringify(texts), 'hex')}${addressesDigest(traces).toString('hex')}`;
}
