/** What the workers of a system are doing, asked of the workers themselves. */
import * as grpc from '@grpc/grpc-js';
import type { WorkerStatus } from '../../lib/proto/messages.ts';
import { bigtraceWorker, clientClass } from '../../lib/proto/services.ts';
import type { System } from './system.ts';

const Client = clientClass(bigtraceWorker);

export async function statusOf(address: string): Promise<WorkerStatus> {
  const client = new Client(address, grpc.credentials.createInsecure());
  try {
    return await new Promise<WorkerStatus>((resolve, reject) => {
      client['Status']?.({}, (error: Error | null, status: WorkerStatus) =>
        error ? reject(error) : resolve(status),
      );
    });
  } finally {
    client.close();
  }
}

async function running(system: System): Promise<number> {
  const statuses = await Promise.all(system.workers.map(statusOf));
  return statuses.reduce((sum, status) => sum + status.tasksRunning + status.tasksQueued, 0);
}

async function until(system: System, holds: (tasks: number) => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const tasks = await running(system);
    if (holds(tasks)) return;
    if (performance.now() > deadline) throw new Error(`after 10 s there are ${tasks} tasks`);
  }
}

/** Resolves once a worker has work. */
export function untilRunning(system: System): Promise<void> {
  return until(system, (tasks) => tasks > 0);
}

/** Resolves once no worker has work. */
export function untilIdle(system: System): Promise<void> {
  return until(system, (tasks) => tasks === 0);
}
