/** For tests: queries that are in column finding, and their clients as the bridge sees them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  hasLeft as hasClientLeft,
} from '../../lib/common/network/client-connection.ts';
import { call, rowsOf, type TestEngine } from './engine.ts';

/** The ClickHouse user that the bridge logs in as. */
const BRIDGE = 'bigtrace_bridge';

/** Creates a query whose column finding lasts until `found` is called. */
export function columnless(t: TestEngine): { query: string; found: () => void } {
  const file = join(t.scratch, `found-${crypto.randomUUID()}`);
  return {
    query: `SELECT * FROM ${call(`~${file}`, 'end')}`,
    found: () => writeFileSync(file, ''),
  };
}

interface QueryClient extends Client {
  queryId: string;
  givenUp: boolean;
}

/** Returns the running queries with their clients, as the bridge sees them. */
export async function clientsOf(t: TestEngine): Promise<QueryClient[]> {
  const sql =
    'SELECT query_id, given_up, interface, address, port, forwarded, native_port FROM bigtrace.query_clients';
  const rows = await rowsOf(t.as(BRIDGE), sql);
  const httpPort = new URL(`http://${t.engine.httpAddress}`).port;
  return rows.map(([queryId, givenUp, protocol, address, port, forwarded, nativePort]) => ({
    ...{ queryId: String(queryId), givenUp: givenUp === 1, isNative: protocol === 1 },
    ...{ address: String(address), port: Number(port), isForwarded: forwarded === 1 },
    serverPort: Number(protocol === 1 ? nativePort : httpPort),
  }));
}

/** @returns undefined if ClickHouse does not run the query */
async function clientOf(t: TestEngine, id: string): Promise<QueryClient | undefined> {
  return (await clientsOf(t)).find(({ queryId }) => queryId === id);
}

/** Whether the query was given up. With the resident bridge the call of column finding has been cancelled then. */
export async function givenUp(t: TestEngine, queryId: string): Promise<boolean | undefined> {
  if (t.resident !== undefined) return t.resident.hasLeft(queryId);
  return (await clientOf(t, queryId))?.givenUp;
}

export async function untilClientLeft(t: TestEngine, queryId: string): Promise<void> {
  while ((await givenUp(t, queryId)) !== true) await sleep(20);
}

/** Returns a function that says whether the client of the query has left. */
export async function untilRunning(
  t: TestEngine,
  queryId: string,
): Promise<() => Promise<boolean>> {
  for (;;) {
    if (t.resident !== undefined) {
      const { hasLeft } = t.resident;
      if (hasLeft(queryId) !== undefined) return async () => hasLeft(queryId) === true;
    } else {
      const client = await clientOf(t, queryId);
      if (client !== undefined) return () => hasClientLeft(client, `${t.engine.pid}`);
    }
    await sleep(20);
  }
}
