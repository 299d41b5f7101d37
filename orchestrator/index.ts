/** What the orchestrator room offers to others. */
export { orchestratorCommand } from './command.ts';
export type { OrchestratorConfig } from './config.ts';
export { type RunningOrchestrator, startOrchestrator } from './start.ts';
