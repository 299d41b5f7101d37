/** Asking a system and throwing the answer away. */
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import type { QueryStart } from '../lib/proto/messages.ts';

let asked = 0;

/** A condition that holds always and is new each time: no answer to it can be remembered. */
export function unasked(column: string): string {
  asked++;
  return `${column} > ${-(2 ** 40) - asked}`;
}

/** A client that stays connected. */
export class Asker implements Disposable {
  readonly #client: OrchestratorClient;

  constructor(orchestrator: string) {
    this.#client = new OrchestratorClient(orchestrator);
  }

  /** Resolves when the last of the answer has come. */
  async ask(traces: string[], sql: string): Promise<void> {
    const start: QueryStart = {
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

/** `SELECT COLUMNS FROM bigtrace(all traces, sql)`. */
export function fromBigtrace(columns: string, sql: string): string {
  return `SELECT ${columns} FROM bigtrace(traces=['/local/**'], sql='${sql}') FORMAT Null`;
}
