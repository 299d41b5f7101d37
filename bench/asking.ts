/** Asking a system and throwing the answer away. */
import type * as grpc from '@grpc/grpc-js';
import { connectOrchestrator } from '../cli/orchestrator.ts';
import type { QueryRequest, QueryResponse } from '../proto/messages.ts';

let asked = 0;

/** A condition that holds always and is new each time: no answer to it can be remembered. */
export function unasked(column: string): string {
  asked++;
  return `${column} > ${-(2 ** 40) - asked}`;
}

/** Resolves when the last of the answer has come. */
export async function askOverGrpc(
  orchestrator: string,
  traces: string[],
  sql: string,
): Promise<void> {
  const client = connectOrchestrator(orchestrator);
  const call = client['Query']?.() as grpc.ClientDuplexStream<QueryRequest, QueryResponse>;
  call.write({
    start: {
      queryId: '',
      sql: Buffer.from(sql),
      onFailure: 'STRICT',
      user: 'bench',
      progressIntervalMs: 0,
    },
  });
  call.end({ traces: { address: traces.map((address) => Buffer.from(address)) } });
  for await (const _ of call);
  client.close();
}

/** `SELECT COLUMNS FROM bigtrace(all traces, sql)`. */
export function fromBigtrace(columns: string, sql: string): string {
  return `SELECT ${columns} FROM bigtrace(traces=['/local/**'], sql='${sql}') FORMAT Null`;
}
