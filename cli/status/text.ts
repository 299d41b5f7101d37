/** A status for people. */
import type { OrchestratorStatus, QueryState, WorkerState } from '../../proto/messages.ts';

export function statusText(status: OrchestratorStatus, nowMs: number): string {
  const { version, worker, query } = status;
  return [
    `orchestrator ${version}: ${count(query.length, 'query', 'queries')} running`,
    ...query.map((each) => queryLine(each, nowMs)),
    '',
    ...aligned(
      [['WORKER', 'STATE', 'BUSY', 'QUEUED', 'LOADED', 'ANSWERS FROM', 'UP']],
      worker.map(workerCells),
    ),
    ...packageLines(worker),
  ].join('\n');
}

/** The SQL packages, and which workers have other ones: then an answer depends on who gives it. */
function packageLines(workers: readonly WorkerState[]): string[] {
  const packages = new Map<string, string[]>();
  for (const { address, status } of workers) {
    if (status === null) continue;
    const names = (status.sqlPackage ?? []).join(', ') || 'none';
    packages.set(names, [...(packages.get(names) ?? []), address]);
  }
  const [names] = packages.keys();
  if (packages.size === 1) return names === 'none' ? [] : ['', `SQL packages: ${names}`];
  return [...packages].flatMap(([each, addresses], at) => [
    ...(at === 0 ? [''] : []),
    `SQL packages of ${addresses.join(', ')}: ${each}`,
  ]);
}

function queryLine({ queryId, user, startedMs, progress }: QueryState, nowMs: number): string {
  const seconds = ((nowMs - startedMs) / 1000).toFixed(1);
  const done =
    progress === null
      ? ''
      : `, ${progress.tracesDone}/${progress.tracesTotal} traces, ${progress.rows} rows`;
  return `  ${queryId}  ${user}  ${seconds} s${done}`;
}

function workerCells({ address, state, status }: WorkerState): string[] {
  if (status === null) return [address, state];
  const { threads, tasksRunning, tasksQueued, uptimeMs, counters, gauges } = status;
  const tiers = ['result', 'resident', 'image', 'parse'].map(
    (tier) => `${counters[`tier_${tier}`] ?? 0} ${tier}`,
  );
  return [
    address,
    status.draining ? 'draining' : state,
    `${tasksRunning}/${threads}`,
    String(tasksQueued),
    `${gauges['resident_traces'] ?? 0} (${(Number(gauges['resident_bytes'] ?? 0) / 2 ** 20).toFixed(0)} MiB)`,
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
