import { askStatus, connectOrchestrator } from '../cli/orchestrator.ts';
import type { OrchestratorStatus } from '../proto/messages.ts';

export async function orchestratorStatus(address: string): Promise<OrchestratorStatus> {
  const client = connectOrchestrator(address);
  try {
    return await askStatus(client);
  } finally {
    client.close();
  }
}
