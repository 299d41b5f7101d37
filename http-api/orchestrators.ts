/**
 * The orchestrators, over gRPC. ClickHouse may send a query to any of them, so a question about a query is sent to all.
 */
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { isPattern } from '../lib/common/addresses/address.ts';
import { BigtraceError, type ErrorCode } from '../lib/common/errors.ts';
import type { ClientCredentials } from '../lib/common/network/client-credentials.ts';
import type { Logger } from '../lib/common/observability/log.ts';
import { bytesFromText, printable, textFromBytes } from '../lib/common/text/byte-text.ts';
import type { OrchestratorStatus, QueryState, RecordedFailure } from '../lib/proto/messages.ts';
import type { ConsoleQuery, SystemState, Vocabulary } from './contract/console.ts';
import { readVocabulary } from './contract/vocabulary.ts';
import type { ConsoleFailure, OpenTrace, QueryCounts, QueryWatch, SystemWatch } from './watch.ts';

/** Errors of one orchestrator that say nothing about the others. */
const OTHERS_MAY_SUCCEED: ReadonlySet<ErrorCode> = new Set([
  'orchestrator_unreachable',
  'draining',
]);

export class Orchestrators implements QueryWatch, SystemWatch {
  readonly #clients: OrchestratorClient[];
  /** Whether each orchestrator is asked for its own queries; a single one also tells those of its peers. */
  readonly #ownOnly: boolean;
  readonly #log: Logger;

  /**
   * @param addresses each `host:port`; all orchestrators that ClickHouse uses
   * @throws invalid_option if a file of the credentials cannot be read
   */
  constructor(addresses: readonly string[], credentials: ClientCredentials, log: Logger) {
    this.#clients = addresses.map((address) => new OrchestratorClient(address, credentials));
    this.#ownOnly = addresses.length > 1;
    this.#log = log;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async counts(queryId: string): Promise<QueryCounts | undefined> {
    const { responses } = await this.#callAll((client) => client.progress(queryId, this.#ownOnly));
    return responses.find((progress) => progress !== undefined);
  }

  async failures(queryId: string, limit: number): Promise<string[]> {
    const { responses } = await this.#callAll((client) =>
      client.failures(queryId, 0, this.#ownOnly),
    );
    const texts = responses
      .flat()
      .map(({ trace, message }) =>
        trace.length === 0 ? message : `[${textFromBytes(trace)}]: ${message}`,
      );
    // A trace that failed in column finding fails in the query again; report it once.
    return [...new Set(texts)].slice(0, limit);
  }

  async cancel(queryId: string): Promise<number> {
    const { responses } = await this.#callAll((client) => client.cancel(queryId, this.#ownOnly));
    return responses.reduce((sum, cancelled) => sum + cancelled, 0);
  }

  countTraces(addresses: readonly string[], signal: AbortSignal): Promise<number> {
    const pattern = addresses.map(bytesFromText);
    return this.#first(async (client) => {
      let count = 0;
      for await (const traces of client.list({ pattern, limit: 0 }, signal)) count += traces.length;
      return count;
    });
  }

  openTrace(address: string, signal: AbortSignal): Promise<OpenTrace> {
    return this.#first((client) => openTrace(client, address, signal));
  }

  vocabulary(engine: string, signal: AbortSignal): Promise<Vocabulary> {
    return this.#first((client) => readVocabulary(client, engine, signal));
  }

  /** Returns the response of the first orchestrator that responds. @throws its error, or the last one's */
  async #first<Response>(
    call: (client: OrchestratorClient) => Promise<Response>,
  ): Promise<Response> {
    let unreachable: BigtraceError | undefined;
    for (const client of this.#clients) {
      try {
        return await call(client);
      } catch (thrown) {
        if (!(thrown instanceof BigtraceError) || !OTHERS_MAY_SUCCEED.has(thrown.code))
          throw thrown;
        unreachable = thrown;
      }
    }
    throw unreachable ?? new BigtraceError('internal', 'no orchestrator is configured');
  }

  async state(): Promise<SystemState> {
    return systemState(await this.#callReachable((client) => client.status(this.#ownOnly)));
  }

  async recentFailures(): Promise<ConsoleFailure[]> {
    const responses = await this.#callReachable((client) => client.failures('', 0, this.#ownOnly));
    return responses.flat().map(consoleFailure);
  }

  /** Returns the responses of the orchestrators that respond. @throws the error of one if none does */
  async #callReachable<Response>(
    call: (client: OrchestratorClient) => Promise<Response>,
  ): Promise<Response[]> {
    const { responses, errors } = await this.#callAll(call);
    if (responses.length === 0 && errors.length > 0) throw errors[0];
    return responses;
  }

  async #callAll<Response>(
    call: (client: OrchestratorClient) => Promise<Response>,
  ): Promise<{ responses: Response[]; errors: unknown[] }> {
    const settled = await Promise.allSettled(this.#clients.map(call));
    const responses: Response[] = [];
    const errors: unknown[] = [];
    for (const one of settled) {
      if (one.status === 'fulfilled') responses.push(one.value);
      else errors.push(one.reason);
    }
    for (const err of errors) this.#log.debug({ err }, 'an orchestrator did not respond');
    return { responses, errors };
  }
}

/** Looks a trace up. An address with glob characters must equal the address of a trace byte for byte. */
async function openTrace(
  client: OrchestratorClient,
  address: string,
  signal: AbortSignal,
): Promise<OpenTrace> {
  const bytes = bytesFromText(address);
  const mayDiffer = !isPattern(address);
  try {
    for await (const traces of client.list({ pattern: [bytes], limit: 1 }, signal)) {
      const found = traces.find((trace) => mayDiffer || bytes.equals(trace.address));
      if (found === undefined) continue;
      const { size, generation, address: listed } = found;
      return {
        size,
        generation,
        read: (offset, length) =>
          client.readTrace({ address: listed, generation, offset, length }, signal),
      };
    }
  } catch (thrown) {
    if (!(thrown instanceof BigtraceError) || thrown.code !== 'no_match') throw thrown;
  }
  throw new BigtraceError('trace_not_found', 'the trace does not exist', {
    trace: printable(address),
  });
}

/** Combines the states that several orchestrators report. Each has all workers and its own queries. */
function systemState(all: readonly OrchestratorStatus[]): SystemState {
  const sum = (name: string): number => all.reduce((n, { gauges }) => n + (gauges[name] ?? 0), 0);
  const counters: Record<string, number> = {};
  for (const one of all)
    for (const [name, value] of Object.entries(one.counters))
      counters[name] = (counters[name] ?? 0) + value;
  const workers = new Map<string, SystemState['workers'][number]>();
  for (const worker of all.flatMap((one) => one.worker))
    if (workers.get(worker.address)?.state !== 'ready') workers.set(worker.address, worker);
  return {
    tracesWaiting: sum('traces_waiting'),
    tracesInFlight: sum('traces_in_flight'),
    counters,
    workers: [...workers.values()],
    queries: all.flatMap(({ query }) => query.map(consoleQuery)),
  };
}

function consoleQuery({ mode, sql, progress, ...query }: QueryState): ConsoleQuery {
  const running = (progress?.running ?? []).map((one) => ({
    ...one,
    trace: printable(textFromBytes(one.trace)),
    worker: one.worker ?? '',
  }));
  return {
    ...query,
    progress: progress && { ...progress, running },
    findsColumns: mode === 'TYPES',
    sql: textFromBytes(sql),
  };
}

function consoleFailure({ trace, ...failure }: RecordedFailure): ConsoleFailure {
  return { ...failure, trace: textFromBytes(trace) };
}
