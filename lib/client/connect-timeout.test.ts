import { expect, test } from 'vitest';
import { startFullServer } from '../common/testing/full-server.ts';
import { OrchestratorClient } from './orchestrator-client.ts';

test('calls fail where connection attempts are dropped, and the error names the address', async () => {
  await using server = await startFullServer();
  const client = new OrchestratorClient(server.address, {}, { connectMs: 300 });
  const error = {
    code: 'orchestrator_unreachable',
    message: `cannot reach the orchestrator at ${server.address} (no connection within 300 ms); --orchestrator names another`,
  };
  const { signal } = new AbortController();
  await expect(client.schema({})).rejects.toMatchObject(error);
  await expect(client.list({}, signal).next()).rejects.toMatchObject(error);
  await expect(client.query({}, [], signal).next()).rejects.toMatchObject(error);
  client.close();
});
