/** Runs strict queries over gRPC and decodes their rows. */
import * as grpc from '@grpc/grpc-js';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { QueryRequest, QueryResponse } from '../../lib/proto/messages.ts';
import { bigtraceOrchestrator, clientClass, GRPC_OPTIONS } from '../../lib/proto/services.ts';
import { type CellValue, RowDecoder } from '../../lib/query-result/index.ts';

const Client = clientClass(bigtraceOrchestrator);

export interface TraceRow {
  trace: string;
  values: CellValue[];
}

/** @throws the ServiceError of the call */
export async function queryOverGrpc(
  orchestrator: string,
  traces: string[],
  sql: string,
): Promise<TraceRow[]> {
  const client = new Client(orchestrator, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const call = client['Query']?.() as unknown as grpc.ClientDuplexStream<
    QueryRequest,
    QueryResponse
  >;
  call.write({
    start: {
      queryId: '',
      sql: bytesFromText(sql),
      onFailure: 'STRICT',
      user: 'test',
      progressIntervalMs: 0,
    },
  });
  call.write({ traces: { address: traces.map(bytesFromText) } });
  call.end();
  const rows: TraceRow[] = [];
  const decoders = new Map<string, RowDecoder>();
  for await (const { event } of call as AsyncIterable<QueryResponse>) {
    for (const { rows: chunk } of event) {
      if (!chunk) continue;
      const trace = textFromBytes(chunk.trace);
      const decoder = decoders.get(trace) ?? new RowDecoder();
      decoders.set(trace, decoder);
      for (const values of decoder.rows(chunk.result)) rows.push({ trace, values });
    }
  }
  client.close();
  return rows;
}
