/** What other rooms use of the worker. */
export { workerCommand } from './command.ts';
export type { WorkerConfig } from './config.ts';
export { LIMIT_DEFAULTS } from './config.ts';
export { type RunningWorker, startWorker } from './start.ts';
