import type { ClickHouseAddress } from './announcement.ts';
import type { UpConfig } from './config.ts';
import type { Launch } from './supervisor.ts';

export function launchClickHouse(
  config: UpConfig,
  env: NodeJS.ProcessEnv,
  orchestrator: string,
): Launch<ClickHouseAddress> {
  throw new Error(`${config.dataDir} ${env['x']} ${orchestrator}`);
}
