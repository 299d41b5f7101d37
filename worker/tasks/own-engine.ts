/** Checks that a query is for this worker's engine. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { engineNamed, engineText, namesEngine } from '../../lib/common/text/engine-comment.ts';
import type { TaskExecutorParts } from './task-request.ts';

export type OwnEngine = Pick<TaskExecutorParts, 'engineName' | 'engineVersion' | 'engineIdentity'>;

/** Returns what identifies the engine in the worker's status. */
export function engineIdOf({ engineVersion, engineIdentity }: OwnEngine): string {
  return `${engineVersion} ${engineIdentity}`;
}

/** @throws invalid_option if the script names another engine */
export function checkEngineNamed(sql: Uint8Array, own: OwnEngine): void {
  const name = engineNamed(sql);
  const names = { engineName: own.engineName, engine: engineIdOf(own) };
  if (name === undefined || namesEngine(name, names)) return;
  throw new BigtraceError(
    'invalid_option',
    `the script is for the engine ${name}, this worker has ${engineText(names)}`,
  );
}

/** @throws worker_lost if the orchestrator chose a worker with the engine `id`, which this one was before */
export function checkEngineId(id: string, own: OwnEngine): void {
  if (id !== '' && id !== engineIdOf(own))
    throw new BigtraceError('worker_lost', 'the worker was started again with another engine');
}
