/** Runs queries and discards their rows. */
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import type { QueryStartInput } from '../lib/proto/messages.ts';

let count = 0;

/** Returns a condition that is always true and differs at each call, so that the result cache is not used. */
export function uncachedSql(column: string): string {
  count++;
  return `${column} > ${-(2 ** 40) - count}`;
}

/** A client that keeps its connection to the orchestrator. */
export class BenchClient implements Disposable {
  readonly #client: OrchestratorClient;

  constructor(orchestrator: string) {
    this.#client = new OrchestratorClient(orchestrator);
  }

  /** Runs a query and waits for its last row. */
  async query(traces: string[], sql: string): Promise<void> {
    const start: QueryStartInput = {
      queryId: '',
      sql: Buffer.from(sql),
      onFailure: 'STRICT',
      user: 'bench',
      progressIntervalMs: 0,
    };
    const addresses = [traces.map((address) => Buffer.from(address))];
    for await (const _ of this.#client.query(start, addresses, new AbortController().signal));
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Returns a query that reads these columns of a script over all traces and discards the rows. */
export function fromBigtrace(columns: string, sql: string): string {
  return `SELECT ${columns} FROM bigtrace(traces=['/local/**'], sql='${sql}') FORMAT Null`;
}
