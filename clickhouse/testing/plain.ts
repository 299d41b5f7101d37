/**
 * For tests: a ClickHouse of somebody else. It has no function, program, profile or configuration of Bigtrace, and may
 * execute nothing. Its operator has created the users of `USERS`, because this engine keeps no users in SQL.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../lib/common/network/free-port.ts';
import { ROOT } from '../../lib/common/root.ts';
import { type EngineProcess, spawnEngine } from '../engine/engine-process.ts';
import { embeddedProgram } from '../engine/launch.ts';
import { serviceElements } from '../install/service-users.ts';
import { grants } from '../install/statements.ts';

const START_MS_MAX = 60_000;

/** At this address a server listens for other replicas only. */
const REPLICAS_HOST = '127.0.0.2';
const USERS = join(ROOT, 'clickhouse/users.d/bigtrace.xml');
const REPLICATING = join(ROOT, 'clickhouse/testing/replicating-engine.mjs');

/** User that the views run as. */
export const PLAIN_DEFINER = 'traces_definer';

/** Name of the cluster of `startPlainCluster`, of which each server is a shard. */
export const PLAIN_CLUSTER = 'three';

/** The same without its last server. */
export const PLAIN_PART = 'part';

export interface PlainClickHouse extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** `127.0.0.1:PORT` */
  tcpAddress: string;
  /** Password of the users admin, analyst and aggregator, and of those of the HTTP API. */
  password: string;
  /** Process ID, and the exit, of the first process. */
  pid: number;
  exited: EngineProcess['exited'];
  kill(): void;
  /** Starts it again on the same data and ports when it has been killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param directory of the data
 * @param dist directory of the build, with the program of the engine
 * @param withServices whether its operator has created the users of the HTTP API
 */
export async function startPlainClickHouse(
  directory: string,
  { dist = join(ROOT, 'dist'), withServices = false } = {},
): Promise<PlainClickHouse> {
  const ports = await freePorts('127.0.0.1', 2);
  return startServer(directory, {
    dist,
    ports,
    clusterXml: '',
    password: crypto.randomUUID(),
    replicates: false,
    withServices,
  });
}

/**
 * Starts servers that are a cluster. Their users have the same password.
 * @param directory of the data @param zooKeeperPort of the ZooKeeper of the servers, which then replicate tables; undefined:
 * they have none
 */
export async function startPlainCluster(
  directory: string,
  count: number,
  zooKeeperPort?: number,
): Promise<PlainClickHouse[]> {
  const ports = await freePorts('127.0.0.1', 2 * count);
  const shards = ports
    .slice(count)
    .map((tcp) => `<shard><replica><host>127.0.0.1</host><port>${tcp}</port></replica></shard>`);
  const secret = crypto.randomUUID();
  const cluster = (name: string, all: string[]): string =>
    `<${name}><secret>${secret}</secret>${all.join('')}</${name}>`;
  const keeper = (nth: number): string =>
    zooKeeperPort === undefined
      ? ''
      : `<zookeeper><node><host>127.0.0.1</host><port>${zooKeeperPort}</port></node></zookeeper>
  <keeper_map_path_prefix>/bigtrace_maps</keeper_map_path_prefix>
  <macros><shard>s</shard><replica>r${nth}</replica></macros>`;
  const serversXml = `<remote_servers>${cluster(PLAIN_CLUSTER, shards)}${cluster(PLAIN_PART, shards.slice(0, -1))}</remote_servers>`;
  const password = crypto.randomUUID();
  return Promise.all(
    shards.map((_, nth) =>
      startServer(directory, {
        ...{ dist: join(ROOT, 'dist'), password, clusterXml: `${keeper(nth)}${serversXml}` },
        ports: [ports[nth] ?? 0, ports[count + nth] ?? 0],
        replicates: zooKeeperPort !== undefined,
      }),
    ),
  );
}

interface ServerOptions {
  dist: string;
  /** HTTP, TCP */
  ports: number[];
  /** The elements remote_servers, zookeeper and keeper_map_path_prefix, if any. */
  clusterXml: string;
  password: string;
  replicates: boolean;
  /** Whether the users of the HTTP API exist. */
  withServices?: boolean;
}

async function startServer(directory: string, options: ServerOptions): Promise<PlainClickHouse> {
  const { dist, clusterXml, password, replicates } = options;
  const [http = 0, tcp = 0] = options.ports;
  const base = mkdtempSync(join(directory, 'plain-'));
  const [etc, data] = [join(base, 'etc'), join(base, 'data')];
  for (const path of [etc, data]) mkdirSync(path);
  const hosts = ['127.0.0.1', ...(replicates ? [REPLICAS_HOST] : [])];
  const more = hosts.map((host) => `<listen_host>${host}</listen_host>`).join('');
  writeFileSync(join(etc, 'config.xml'), configXml(`${clusterXml}${more}`));
  if (replicates) writeFileSync(join(etc, 'interserver-port'), String(http));
  writeFileSync(join(etc, 'users.xml'), usersXml(options));
  writeFileSync(join(etc, 'start.sql'), 'SYSTEM START LISTEN HTTP;\nSYSTEM START LISTEN TCP;\n');
  const url = `http://127.0.0.1:${http}`;
  const start = async (): Promise<EngineProcess> => {
    const process = spawnEngine({
      ...embeddedProgram(dist),
      ...(replicates ? { entry: REPLICATING } : {}),
      arguments: [
        ...['clickhouse', '--config-file=config.xml', '--path=../data'],
        ...[`--http_port=${http}`, `--tcp_port=${tcp}`],
      ],
      queriesFile: join(etc, 'start.sql'),
      env: {},
      directory: etc,
      insecure: true,
      confinement: { readable: [etc], executable: [], writable: [data], ports: [http, tcp] },
      stopMsMax: 5_000,
      log: () => {},
    });
    await untilListening(url, process);
    return process;
  };
  let engine = await start();
  const stop = async (): Promise<void> => {
    await engine.stop();
    rmSync(base, { recursive: true });
  };
  return {
    ...{ url, tcpAddress: `127.0.0.1:${tcp}`, password, stop, [Symbol.asyncDispose]: stop },
    ...{ pid: engine.pid, exited: engine.exited },
    kill: () => engine.kill(),
    restart: async () => {
      await engine.exited;
      engine = await start();
    },
  };
}

/** @throws if it does not answer in time; it is stopped then */
async function untilListening(url: string, engine: EngineProcess): Promise<void> {
  const giveUp = performance.now() + START_MS_MAX;
  const answers = async (): Promise<boolean> => {
    const response = await fetch(`${url}/ping`).catch(() => undefined);
    return response?.ok === true;
  };
  while (!(await answers())) {
    if (performance.now() > giveUp) {
      await engine.stop();
      throw new Error(`the plain ClickHouse did not start: ${engine.reasons().join('\n')}`);
    }
    await sleep(20);
  }
}

/** What docs/deploy/own-clickhouse.md says that clusterAllReplicas needs. */
const AGGREGATOR_GRANTS = [
  'GRANT SELECT ON bigtrace.*',
  'GRANT READ ON REMOTE',
  'GRANT CREATE TEMPORARY TABLE ON *.*',
];

const configXml = (clusterXml: string): string => `<clickhouse>
  <path>../data/</path>
  <users_config>users.xml</users_config>
  <log-level>error</log-level>
  <logger><console>1</console></logger>
  ${clusterXml}
  <mysql_port remove="remove"/>
  <postgresql_port remove="remove"/>
</clickhouse>
`;

function usersXml({ password, withServices = false }: ServerOptions): string {
  const hash = createHash('sha256').update(password).digest('hex');
  const secret = `<password_sha256_hex>${hash}</password_sha256_hex>`;
  const query = (grant: string): string => `<query>${grant.replace(/ TO \w+$/, '')}</query>`;
  const user = (
    name: string,
    login: string,
    all: string[],
    more = '<profile>default</profile>',
  ): string =>
    `<${name}>${login}<networks><ip>127.0.0.1</ip></networks><quota>default</quota>` +
    `${more}<grants>${all.map(query).join('')}</grants></${name}>`;
  const services = withServices
    ? serviceElements({ usersXml: readFileSync(USERS, 'utf8'), passwordHash: hash })
    : { profiles: '', users: '' };
  const reader = '<profile>reader</profile><default_database>bigtrace</default_database>';
  return `<clickhouse>
  <profiles><default/>${services.profiles}<reader><readonly>2</readonly><enable_analyzer>1</enable_analyzer><cancel_http_readonly_queries_on_client_close>1</cancel_http_readonly_queries_on_client_close></reader></profiles>
  <quotas><default/></quotas>
  <users>
    ${user('default', '<password></password>', ['GRANT SYSTEM LISTEN ON *.*'])}
    ${user('admin', secret, ['GRANT ALL ON *.* WITH GRANT OPTION'])}
    ${user('analyst', secret, ['GRANT SELECT ON bigtrace.*'], reader)}
    ${user('aggregator', secret, AGGREGATOR_GRANTS, reader)}
    ${services.users}
    ${user(PLAIN_DEFINER, `<password_sha256_hex>${'0'.repeat(64)}</password_sha256_hex>`, grants(PLAIN_DEFINER))}
  </users>
</clickhouse>
`;
}
