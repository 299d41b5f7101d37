/** Waiting until a system has nothing more to do of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import type { System } from '../test/harness/system.ts';

const IMAGES_MS_MAX = 120_000;

/** They are written when nobody waits, so not while a query runs. */
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
