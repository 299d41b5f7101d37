/** The HTTP backend as a part of the orchestrator: what it is told of the queries that run here. */
import { type RunningBackend, startBackend } from '../backend/index.ts';
import { textFromBytes } from '../common/byte-text.ts';
import type { EdgeConfig } from '../common/edge-options.ts';
import type { Logger } from '../common/log.ts';
import type { QueryGround } from './execute.ts';

export interface HttpConfig {
  host: string;
  /** 0 picks a free one. */
  port: number;
  corsOrigins: string[];
  /** YAML file of further presets. */
  presetsFile: string | undefined;
}

export interface HttpGround {
  edge: EdgeConfig;
  ground: QueryGround;
  clickhouseUrl: string;
  /** Of the users that services log in to ClickHouse as. */
  password: string;
  /** Which orchestrator this is: host:port of its gRPC. */
  owner: string;
  log: Logger;
}

/** @throws invalid_option when it cannot listen */
export function startHttp(
  config: HttpConfig,
  { ground, edge, clickhouseUrl, password, owner, log }: HttpGround,
): Promise<RunningBackend> {
  const { running, failures } = ground;
  const watch = {
    counts: (queryId: string) => running.progressOf(queryId),
    failures: (queryId: string, limit: number) =>
      [...failures.read(queryId, limit)].map(({ trace, message }) =>
        trace.length === 0 ? message : `[${textFromBytes(trace)}]: ${message}`,
      ),
    cancel: (queryId: string) => void running.cancel(queryId),
  };
  return startBackend({ ...config, edge, clickhouseUrl, password, owner }, watch, log);
}
