/** Serves one client over stdin and stdout, as programs that start their servers themselves expect. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { loadPresets } from '../http-api/queries/presets.ts';
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { Access } from './access.ts';
import type { McpConfig } from './config.ts';
import { Runs } from './runs.ts';
import { createMcpServer } from './server.ts';

/** Resolves when the client has closed stdin, or a signal has come. */
export async function serveStdio(
  config: McpConfig,
  login: { username: string; password: () => string },
): Promise<void> {
  const log = createProcessLogger('mcp', config.logLevel);
  const access = new Access({
    ...{ ...login, clickhouseUrl: config.clickhouseUrl },
    ...{ orchestrator: config.orchestrator, credentials: config.orchestratorCredentials },
  });
  const { bounds, linkBase } = config;
  const server = createMcpServer({
    ...{ access, bounds, linkBase },
    ...{ runs: new Runs(), presets: loadPresets(config.presetsFile) },
  });
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    process.stdin.once('end', resolve);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await server.connect(new StdioServerTransport());
  log.info({ user: login.username }, 'ready');
  await closed;
  await server.close(); // aborts the tools that run
  await access.close();
}
