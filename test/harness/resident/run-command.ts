/** For tests: runs a command of bigtrace against one of the ClickHouse servers of a cluster. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../../lib/common/root.ts';
import type { ResidentCluster } from './resident.ts';

export interface Command {
  child: ChildProcess;
  outcome: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** @param server its number in the cluster */
export function runCommand(
  cluster: ResidentCluster,
  server: number,
  command: string,
  args: readonly string[],
): Command {
  const { url = '', password = '' } = cluster.servers[server] ?? {};
  const child = spawn(
    process.execPath,
    [join(ROOT, 'cli/bigtrace.mjs'), command, '--clickhouse', url, ...args],
    {
      env: { ...process.env, BIGTRACE_ADMIN_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const outcome = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code], stdout, stderr]) => ({ code: code as number | null, stdout, stderr }),
  );
  return { child, outcome };
}
