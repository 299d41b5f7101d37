/** The commands of `bigtrace`. */
import { join } from 'node:path';
import { Command } from 'commander';
import { defaultDataDir } from '../lib/common/data-dir.ts';
import { VERSION } from '../lib/common/version.ts';
import { DIST } from './paths.ts';

/** Loaders of the commands. Each command is loaded only if needed, because its dependencies slow down the start. */
export const COMMANDS: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./up/command.ts')).upCommand(process.env),
  query: async () => (await import('./query/command.ts')).queryCommand(process.env),
  index: async () =>
    (await import('../catalog/command.ts')).indexCommand(process.env, defaultDataDir(process.env)),
  materialize: async () =>
    (await import('../http-api/materialize/command.ts')).materializeCommand(
      process.env,
      defaultDataDir(process.env),
    ),
  status: async () => (await import('./status/command.ts')).statusCommand(process.env),
  cancel: async () => (await import('./cancel/command.ts')).cancelCommand(process.env),
  unbar: async () => (await import('./unbar/command.ts')).unbarCommand(process.env),
  user: async () => (await import('./user/command.ts')).userCommand(defaultDataDir(process.env)),
  engine: async () =>
    (await import('./engine/command.ts')).engineCommand(defaultDataDir(process.env)),
  history: async () =>
    (await import('./history/command.ts')).historyCommand(process.env, defaultDataDir(process.env)),
  orchestrator: async () => (await import('../orchestrator/command.ts')).orchestratorCommand(),
  'http-api': async () => (await import('../http-api/command.ts')).httpApiCommand(process.env),
  worker: async () =>
    (await import('../worker/command.ts')).workerCommand(
      process.env['BIGTRACE_DATA_DIR'] || defaultDataDir(process.env),
    ),
  clickhouse: async () =>
    (await import('../clickhouse/install/command.ts')).clickHouseCommand(
      process.env,
      join(DIST, 'clickhouse'),
    ),
  bridge: async () => (await import('../bridge/service/command.ts')).bridgeCommand(process.env),
  mcp: async () =>
    (await import('../mcp/command.ts')).mcpCommand(process.env, defaultDataDir(process.env)),
  version: () =>
    Promise.resolve(
      new Command('version').description('print the version').action(() => console.log(VERSION)),
    ),
};
