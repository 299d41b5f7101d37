/** Runs strict queries over gRPC and decodes their rows. */
import * as grpc from '@grpc/grpc-js';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { QueryResponse } from '../../lib/proto/messages.ts';
import { BigtraceOrchestrator, GRPC_OPTIONS } from '../../lib/proto/services.ts';
import { type CellValue, RowDecoder } from '../../lib/query-result/index.ts';

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
  const client = new BigtraceOrchestrator(
    orchestrator,
    grpc.credentials.createInsecure(),
    GRPC_OPTIONS,
  );
  const call = client.Query();
  call.write({ start: { sql: bytesFromText(sql), user: 'test' } });
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
