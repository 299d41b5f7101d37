/** Runs the project's compose.yaml under a separate project name and on free ports. */
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { freePorts } from '../../lib/common/network/free-port.ts';
import { ROOT } from '../../lib/common/root.ts';
import type { OrchestratorStatus } from '../../lib/proto/messages.ts';
import { BigtraceOrchestrator } from '../../lib/proto/services.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 2 ** 26;
const SETTLE_MS_MAX = 60_000;

export type Service = 'worker' | 'orchestrator' | 'http-api' | 'clickhouse' | 'superset';

export interface Compose {
  httpPort: number;
  /** Port of the HTTP API. */
  pagePort: number;
  tcpPort: number;
  orchestratorPort: number;
  /** Port of Superset, which runs only with the profile `superset`. */
  supersetPort: number;
  passwords: { admin: string; analyst: string; superset: string };
  /** Runs `docker compose ARGUMENT…` for this project and returns its stdout. */
  compose(...args: string[]): Promise<string>;
  /** Returns the IDs of the running containers of a service. */
  containers(service: Service): Promise<string[]>;
  /**
   * Waits until exactly `count` workers are ready.
   * @throws if that takes more than 60 s
   */
  workersReady(count: number): Promise<void>;
  /** Runs a query in ClickHouse over HTTP; rejects with the text of ClickHouse's error. */
  sql(query: string, user?: 'admin' | 'analyst'): Promise<string>;
  /** Removes the containers, networks and volumes of the project. */
  remove(): Promise<void>;
}

export async function newCompose(traces: string): Promise<Compose> {
  const project = `bigtrace-test-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-compose-'));
  const envFile = join(directory, 'env');
  const [httpPort = 0, tcpPort = 0, orchestratorPort = 0, pagePort = 0, supersetPort = 0] =
    await freePorts('127.0.0.1', 5);
  const passwords = { admin: randomUUID(), analyst: randomUUID(), superset: randomUUID() };
  const env = {
    BIGTRACE_TRACES: traces,
    BIGTRACE_CLICKHOUSE_HTTP_PORT: httpPort,
    BIGTRACE_CLICKHOUSE_TCP_PORT: tcpPort,
    BIGTRACE_ORCHESTRATOR_PORT: orchestratorPort,
    BIGTRACE_HTTP_PORT: pagePort,
    BIGTRACE_ADMIN_PASSWORD: passwords.admin,
    BIGTRACE_ANALYST_PASSWORD: passwords.analyst,
    BIGTRACE_SUPERSET_PORT: supersetPort,
    SUPERSET_ADMIN_PASSWORD: passwords.superset,
  };
  writeFileSync(
    envFile,
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const compose = async (...args: string[]): Promise<string> => {
    const all = ['compose', '--project-name', project, '--env-file', envFile, ...args];
    return (await run('docker', all, { cwd: ROOT, maxBuffer: OUTPUT_BYTES_MAX })).stdout;
  };
  const status = statusOf(`127.0.0.1:${orchestratorPort}`);
  return {
    httpPort,
    pagePort,
    tcpPort,
    orchestratorPort,
    supersetPort,
    passwords,
    compose,
    containers: async (service) => (await compose('ps', '--quiet', service)).trim().split('\n'),
    workersReady: async (count) => {
      const ready = async (): Promise<number> =>
        (await status()).worker.filter(({ state }) => state === 'ready').length;
      const end = Date.now() + SETTLE_MS_MAX;
      while ((await ready()) !== count) {
        if (Date.now() > end) throw new Error(`${await ready()} workers are ready, not ${count}`);
        await sleep(200);
      }
    },
    sql: async (query, user = 'analyst') => {
      const response = await fetch(`http://127.0.0.1:${httpPort}`, {
        method: 'POST',
        headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': passwords[user] },
        body: query,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text;
    },
    remove: async () => {
      await compose('--profile', '*', 'down', '--volumes', '--timeout', '5');
      rmSync(directory, { recursive: true });
    },
  };
}

/** Returns the `docker inspect` data of a container or image. */
export function inspect<Inspected>(name: string): Inspected {
  const text = execFileSync('docker', ['inspect', name], { encoding: 'utf8' });
  return (JSON.parse(text) as [Inspected])[0];
}

function statusOf(orchestrator: string): () => Promise<OrchestratorStatus> {
  return () =>
    new Promise((resolve, reject) => {
      const client = new BigtraceOrchestrator(orchestrator, grpc.credentials.createInsecure());
      client.Status({}, (error, response) => {
        client.close();
        if (response !== undefined) resolve(response);
        else reject(error);
      });
    });
}
