/** Records abandoned queries by phase, and measures the time until no process works on them any longer. */
import type { ClickHouseClient } from '@clickhouse/client';
import type { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import type { QueryEvent } from '../../lib/proto/messages.ts';
import { rowsOf } from './queries.ts';
import type { System } from './system.ts';
import { statusOf } from './workers.ts';

export const PHASES = [
  ...['queued', 'finding columns', 'reading', 'parsing', 'running SQL', 'sending rows'],
  'running SQL, asked by ClickHouse',
] as const;
export type Phase = (typeof PHASES)[number];

const LOOK_EVERY_MS = 50;

export class AbandonedQueries {
  readonly #system: System;
  readonly #client: OrchestratorClient;
  readonly #admin: ClickHouseClient;
  /** Abandoned queries that still run somewhere, by query ID. */
  readonly #left = new Map<string, { phase: Phase; sinceMs: number }>();
  readonly #took = new Map<Phase, number[]>();
  #closed = false;

  constructor(system: System, client: OrchestratorClient, admin: ClickHouseClient) {
    this.#system = system;
    this.#client = client;
    this.#admin = admin;
  }

  /** Records a query; must be called just before its client disconnects. */
  add(queryId: string, phase: Phase): void {
    this.#left.set(queryId, { phase, sinceMs: performance.now() });
  }

  get left(): string[] {
    return [...this.#left].map(([id, { phase }]) => `${id} (${phase})`);
  }

  count(phase: Phase): number {
    const left = [...this.#left.values()].filter((one) => one.phase === phase).length;
    return left + (this.#took.get(phase)?.length ?? 0);
  }

  /** Polls until `close`. A query is gone when ClickHouse, the orchestrator and the workers no longer list it. */
  async watch(): Promise<void> {
    while (!this.#closed) {
      const before = new Set(this.#left.keys());
      const known = await this.#known();
      const nowMs = performance.now();
      for (const id of before) {
        const one = this.#left.get(id);
        if (one === undefined || known.has(id)) continue;
        this.#left.delete(id);
        this.#took.set(one.phase, [...(this.#took.get(one.phase) ?? []), nowMs - one.sinceMs]);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #known(): Promise<Set<string>> {
    const [{ query }, processes, ...workers] = await Promise.all([
      this.#client.status(),
      rowsOf(this.#admin, 'SELECT query_id FROM system.processes'),
      ...this.#system.workers.map(statusOf),
    ]);
    return new Set([
      ...query.map(({ queryId }) => queryId),
      ...processes.map(([id]) => String(id)),
      ...workers.flatMap(({ running = [] }) => running.map(({ queryId }) => queryId)),
    ]);
  }

  report(): string {
    const line = (phase: Phase): string => {
      const took = this.#took.get(phase) ?? [];
      return `${phase.padEnd(33)} ${String(took.length).padStart(5)}  ${distribution(took)}`;
    };
    return ['abandoned in phase                 count  gone after', ...PHASES.map(line)].join('\n');
  }
}

/** Returns the phase of the query that sent this event; undefined if the event does not tell. */
export function phaseOf({ rows, progress }: QueryEvent): Phase | undefined {
  if (rows !== undefined) return 'sending rows';
  const [first] = progress?.running ?? [];
  if (progress?.totalIsFinal !== true || progress.tracesTotal === 0) return undefined;
  if (first === undefined || first.phase === 'QUEUED') return 'queued';
  return first.phase === 'RUNNING_SQL'
    ? 'running SQL'
    : (first.phase.toLowerCase() as 'reading' | 'parsing');
}

/** Formats durations, for example as `median 12, 90% 40, 99% 80, most 95 ms`. */
export function distribution(tookMs: readonly number[]): string {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share: number): string =>
    String(Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN));
  return `median ${at(0.5)}, 90% ${at(0.9)}, 99% ${at(0.99)}, most ${at(1)} ms`;
}
