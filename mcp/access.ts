/** What a user may see and run. All tools work through this, with the rights and quotas of that ClickHouse user. */

import type { Vocabulary } from '../http-api/contract/console.ts';
import { readVocabulary } from '../http-api/contract/vocabulary.ts';
import { type CallOptions, ClickHouse, type Row, type Table } from '../lib/clickhouse/client.ts';
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { BigtraceError } from '../lib/common/errors.ts';
import type { ClientCredentials } from '../lib/common/network/client-credentials.ts';
import { bytesFromText, textFromBytes } from '../lib/common/text/byte-text.ts';
import { BOUND_MAX, RESULT_BYTES_MAX } from './bounds.ts';

export interface AccessParts {
  clickhouseUrl: string;
  username: string;
  password: string | (() => string);
  orchestrator: string;
  credentials: ClientCredentials;
}

export interface ListedTrace {
  address: string;
  bytes: number;
}

/** One more than the largest bound: a run reads one row more, to see whether there are more. */
const RESULT_ROWS_MAX = BOUND_MAX + 1;

/** ClickHouse lists a view only for users with a grant on it. */
const MAY_QUERY =
  "SELECT count() FROM system.tables WHERE database = 'bigtrace' AND name = 'bigtrace'";

export class Access {
  readonly #clickhouse: ClickHouse;
  readonly #orchestrator: OrchestratorClient;
  readonly #username: string;

  /** @throws invalid_option if the URL is malformed, or a file of the credentials cannot be read */
  constructor({ clickhouseUrl, username, password, orchestrator, credentials }: AccessParts) {
    this.#username = username;
    this.#orchestrator = new OrchestratorClient(orchestrator, credentials);
    this.#clickhouse = new ClickHouse(
      { url: clickhouseUrl, username, password },
      {
        settings: {
          max_result_bytes: String(RESULT_BYTES_MAX),
          max_result_rows: String(RESULT_ROWS_MAX),
        },
        errors: { rejected: 'invalid_option', denied: 'forbidden', subject: 'the query' },
      },
    );
  }

  async close(): Promise<void> {
    this.#orchestrator.close();
    await this.#clickhouse.close();
  }

  rows(query: string, options: CallOptions): Promise<Row[]> {
    return this.#clickhouse.rows(query, options);
  }

  table(query: string, options: CallOptions): Promise<Table> {
    return this.#clickhouse.table(query, options);
  }

  /**
   * Yields the traces that match the patterns, in batches; those that appear in several patterns once. The orchestrator
   * lists for anybody who reaches it, so ClickHouse is asked first whether the user may query traces.
   * @throws forbidden if the user may not
   */
  async *list(
    patterns: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): AsyncGenerator<ListedTrace[]> {
    const [[views] = []] = await this.rows(MAY_QUERY, { signal });
    if (views !== '1')
      throw new BigtraceError(
        'forbidden',
        `user ${this.#username} may not list traces: GRANT SELECT ON bigtrace.bigtrace`,
      );
    const request = { pattern: patterns.map(bytesFromText), limit };
    for await (const traces of this.#orchestrator.list(request, signal))
      yield traces.map(({ address, size }) => ({
        address: textFromBytes(address),
        bytes: Number(size),
      }));
  }

  /** Returns how many of the query's traces are done, and their number; undefined if the query does not run. */
  async progress(queryId: string): Promise<{ done: number; total: number } | undefined> {
    const progress = await this.#orchestrator.progress(queryId);
    return progress && { done: Number(progress.tracesDone), total: Number(progress.tracesTotal) };
  }

  /** Returns what the engine has, of scripts that name none. */
  vocabulary(signal: AbortSignal): Promise<Vocabulary> {
    return readVocabulary(this.#orchestrator, '', signal);
  }

  /** Returns the number of engine threads of all workers. */
  async threads(): Promise<number> {
    const { worker } = await this.#orchestrator.status();
    return worker.reduce((sum, { status }) => sum + Number(status?.threads ?? 0), 0);
  }
}
