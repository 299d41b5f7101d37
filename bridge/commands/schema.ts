/** `bigtrace schema`: keeps running, and returns one table structure for each request. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { distinctNames, typeOfKinds } from '../columns/columns.ts';
import { formatStructure } from '../columns/structure.ts';
import type { BridgeClient } from '../grpc/bridge-client.ts';
import { type ClickHouse, untilClientLeft } from '../grpc/client-gone.ts';
import type { SchemaColumn } from '../grpc/messages.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import {
  REQUEST_BYTES_MAX,
  type RequestRow,
  SCHEMA_TEXTS,
  schemaInput,
} from '../request/request.ts';
import { rowsOfBinary } from '../request/row-binary.ts';

/**
 * Processes requests until stdin ends. If one fails, its error goes to `report` and its row is an empty text:
 * ClickHouse reads stderr after the row, and keeps the process for the next query.
 */
export async function runSchema(
  client: BridgeClient,
  { stdin, stdout }: { stdin: Readable; stdout: Writable },
  report: (error: unknown) => void,
  clickHouse: ClickHouse,
): Promise<void> {
  for await (const rows of rowsOfBinary(stdin, SCHEMA_TEXTS, REQUEST_BYTES_MAX))
    for (const row of rows) {
      const structure = await structureFor(client, row, clickHouse).catch((error: unknown) => {
        report(error);
        return Buffer.of();
      });
      if (!stdout.write(lengthAndBytes(structure))) await once(stdout, 'drain');
    }
}

async function structureFor(
  client: BridgeClient,
  row: RequestRow,
  clickHouse: ClickHouse,
): Promise<Buffer> {
  const input = schemaInput(row);
  const ended = new AbortController();
  const clientLeft = untilClientLeft(clickHouse, input.queryId, ended.signal);
  const columns = client.schema(input, input.traces, ended.signal);
  try {
    return bytesFromText(structureOf(await Promise.race([columns, clientLeft])));
  } finally {
    ended.abort();
    await Promise.allSettled([columns, clientLeft]);
  }
}

/** Returns the structure of the view's table for the columns that the orchestrator has found. */
export function structureOf(columns: readonly SchemaColumn[]): string {
  const names = distinctNames(columns.map(({ name }) => textFromBytes(name)));
  return formatStructure(
    columns.map(({ cellKinds, learnedKinds }, index) => ({
      name: names[index] ?? '',
      type: typeOfKinds(cellKinds | learnedKinds),
    })),
  );
}
