/** Requests the status of a system's workers. */
import * as grpc from '@grpc/grpc-js';
import type { WorkerStatus } from '../../lib/proto/messages.ts';
import { BigtraceWorker } from '../../lib/proto/services.ts';
import type { System } from './system.ts';

type Workers = Pick<System, 'workers'>;

export async function statusOf(address: string): Promise<WorkerStatus> {
  const client = new BigtraceWorker(address, grpc.credentials.createInsecure());
  try {
    return await new Promise<WorkerStatus>((resolve, reject) => {
      client.Status({}, (error, status) =>
        status === undefined ? reject(error) : resolve(status),
      );
    });
  } finally {
    client.close();
  }
}

async function running(system: Workers): Promise<number> {
  const statuses = await Promise.all(system.workers.map(statusOf));
  return statuses.reduce((sum, status) => sum + status.tasksRunning + status.tasksQueued, 0);
}

async function until(system: Workers, holds: (tasks: number) => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const tasks = await running(system);
    if (holds(tasks)) return;
    if (performance.now() > deadline) throw new Error(`after 10 s there are ${tasks} tasks`);
  }
}

/**
 * Waits until a worker has a task.
 * @throws if that takes more than 10 s
 */
export function untilRunning(system: Workers): Promise<void> {
  return until(system, (tasks) => tasks > 0);
}

/**
 * Waits until no worker has a task.
 * @throws if that takes more than 10 s
 */
export function untilIdle(system: Workers): Promise<void> {
  return until(system, (tasks) => tasks === 0);
}
