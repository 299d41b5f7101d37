/** Formats the status of an orchestrator as text. */
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { engineText } from '../../lib/common/text/engine-comment.ts';
import type {
  OrchestratorStatus,
  QueryState,
  TaskPhase,
  WorkerState,
  WorkerStatus,
} from '../../lib/proto/messages.ts';

export function statusText(status: OrchestratorStatus, nowMs: number): string {
  const { version, worker, query } = status;
  return [
    `orchestrator ${version}: ${count(query.length, 'query', 'queries')} running`,
    ...query.flatMap((each) => [queryLine(each, nowMs), ...runningLines(each)]),
    '',
    ...aligned(
      [['WORKER', 'STATE', 'BUSY', 'QUEUED', 'LOADED', 'RESULTS FROM', 'UP']],
      worker.map(workerCells),
    ),
    ...linesByWorker(worker, 'engine', engineOf),
    ...linesByWorker(worker, 'engine runtime', ({ engineRuntime }) => engineRuntime || 'unknown'),
    ...linesByWorker(worker, 'SQL packages', packagesOf),
    ...barredLines(worker),
  ].join('\n');
}

/** Returns what all workers have; if it differs, it is listed by worker, because results then depend on the worker. */
function linesByWorker(
  workers: readonly WorkerState[],
  what: string,
  of: (status: WorkerStatus) => string,
): string[] {
  const addressesByText = new Map<string, string[]>();
  for (const { address, status } of workers) {
    if (status === null) continue;
    const text = of(status);
    addressesByText.set(text, [...(addressesByText.get(text) ?? []), address]);
  }
  const [text] = addressesByText.keys();
  if (addressesByText.size === 1) return text === 'none' ? [] : ['', `${what}: ${text}`];
  return [...addressesByText].flatMap(([each, addresses], at) => [
    ...(at === 0 ? [''] : []),
    `${what} of ${addresses.join(', ')}: ${each}`,
  ]);
}

function packagesOf({ sqlPackage }: WorkerStatus): string {
  return (sqlPackage ?? []).join(', ') || 'none';
}

function engineOf({ engine, engineName, memory64 }: WorkerStatus): string {
  return `${engineText({ engine, engineName })}${memory64 ? ', with 64-bit memory' : ''}`;
}

function queryLine({ queryId, user, startedMs, progress }: QueryState, nowMs: number): string {
  const seconds = ((nowMs - startedMs) / 1000).toFixed(1);
  const done =
    progress === null
      ? ''
      : `, ${progress.tracesDone}/${progress.tracesTotal} traces, ${progress.rows} rows`;
  return `  ${queryId}  ${user}  ${seconds} s${done}`;
}

const PHASES: Record<TaskPhase, string> = {
  QUEUED: 'queued',
  READING: 'being read',
  PARSING: 'being parsed',
  RUNNING_SQL: 'running SQL',
};

/** The traces that have been assigned to workers for longest. */
function runningLines({ progress }: QueryState): string[] {
  return (progress?.running ?? []).map(
    ({ trace, phase, phaseMs, totalMs, worker = '' }) =>
      `    ${nameOf(trace)}  ${PHASES[phase]} for ${seconds(phaseMs)}, ${seconds(totalMs)} in all, on ${worker}`,
  );
}

/** The barred traces, which workers refuse to load, with the reasons. */
function barredLines(workers: readonly WorkerState[]): string[] {
  const barred = workers.flatMap(({ address, status }) =>
    (status?.barred ?? []).map((bar) => ({ ...bar, address })),
  );
  if (barred.length === 0) return [];
  const total = workers.reduce((sum, { status }) => sum + (status?.barredTotal ?? 0), 0);
  const more = total > barred.length ? ` (the last ${barred.length})` : '';
  return [
    '',
    `${count(total, 'trace is', 'traces are')} barred${more}; run \`bigtrace unbar ADDRESS\` or \`bigtrace unbar --all\` to load them again:`,
    ...barred.map(
      ({ trace, address, code, message, barredMs }) =>
        `  ${nameOf(trace)}  on ${address} since ${new Date(barredMs).toISOString()}: ${message} (${code})`,
    ),
  ];
}

function nameOf(trace: Buffer): string {
  return printable(textFromBytes(trace));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function workerCells({ address, state, status }: WorkerState): string[] {
  if (status === null) return [address, state];
  const { threads, tasksRunning, tasksQueued, uptimeMs, counters, gauges } = status;
  const tiers = ['result', 'loaded', 'snapshot', 'parse'].map(
    (tier) => `${counters[`tier_${tier}`] ?? 0} ${tier}`,
  );
  return [
    address,
    status.draining ? 'draining' : state,
    `${tasksRunning}/${threads}`,
    String(tasksQueued),
    `${gauges['loaded_traces'] ?? 0} (${(Number(gauges['loaded_bytes'] ?? 0) / 2 ** 20).toFixed(0)} MiB)`,
    tiers.join(', '),
    `${Math.round(uptimeMs / 1000)} s`,
  ];
}

function aligned(head: string[][], rows: string[][]): string[] {
  const all = [...head, ...rows];
  const widths = head[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
