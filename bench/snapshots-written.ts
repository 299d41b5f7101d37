/** Waits until workers have written their snapshots. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import type { System } from '../test/harness/system.ts';

const WRITE_MS_MAX = 120_000;

/**
 * Waits until the workers have written this many snapshots, by this counter; workers write most of them while they are idle.
 * @throws if that takes more than 120 s
 */
export async function snapshotsWritten(
  system: System,
  count: number,
  counter = 'snapshots_written',
): Promise<void> {
  const client = new OrchestratorClient(system.orchestrator);
  const giveUp = performance.now() + WRITE_MS_MAX;
  for (;;) {
    const { worker } = await client.status();
    const written = worker.map(({ status }) => status?.counters[counter] ?? 0);
    if (written.reduce((sum, each) => sum + each, 0) >= count) return client.close();
    if (performance.now() > giveUp)
      throw new Error(`snapshots written per worker: ${written.join(' + ')}`);
    await sleep(50);
  }
}
