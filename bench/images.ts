/** Waits until workers have written their snapshots. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import type { System } from '../test/harness/system.ts';

const IMAGES_MS_MAX = 120_000;

/**
 * Waits until the workers have written this many snapshots; workers write most of them while they are idle.
 * @throws if that takes more than 120 s
 */
export async function imagesWritten(system: System, images: number): Promise<void> {
  const client = new OrchestratorClient(system.orchestrator);
  const giveUp = performance.now() + IMAGES_MS_MAX;
  for (;;) {
    const { worker } = await client.status();
    const written = worker.map(({ status }) => status?.counters['images_written'] ?? 0);
    if (written.reduce((sum, each) => sum + each, 0) >= images) return client.close();
    if (performance.now() > giveUp) throw new Error(`images written: ${written.join(' + ')}`);
    await sleep(50);
  }
}
