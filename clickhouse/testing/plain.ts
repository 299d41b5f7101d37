/**
 * For tests: a ClickHouse of somebody else. It has no function, program, profile or configuration of Bigtrace, and may
 * execute nothing. Its operator has created the users of `USERS`, because this engine keeps no users in SQL.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../lib/common/network/free-port.ts';
import { ROOT } from '../../lib/common/root.ts';
import { spawnEngine } from '../engine/engine-process.ts';
import { grants } from '../install/statements.ts';

const START_MS_MAX = 60_000;

/** User that the views run as. */
export const PLAIN_DEFINER = 'traces_definer';

export interface PlainClickHouse extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** `127.0.0.1:PORT` */
  tcpAddress: string;
  /** Password of the users admin and analyst. */
  password: string;
  stop(): Promise<void>;
}

/** @param dist directory of the build, with the program of the engine @param directory of the data */
export async function startPlainClickHouse(
  directory: string,
  dist: string = join(ROOT, 'dist'),
): Promise<PlainClickHouse> {
  const base = mkdtempSync(join(directory, 'plain-'));
  const [etc, data] = [join(base, 'etc'), join(base, 'data')];
  for (const path of [etc, data]) mkdirSync(path);
  const password = crypto.randomUUID();
  writeFileSync(join(etc, 'config.xml'), CONFIG);
  writeFileSync(join(etc, 'users.xml'), usersXml(password));
  writeFileSync(join(etc, 'start.sql'), 'SYSTEM START LISTEN HTTP;\nSYSTEM START LISTEN TCP;\n');
  const [http = 0, tcp = 0] = await freePorts('127.0.0.1', 2);
  const engine = spawnEngine({
    entry: join(dist, 'clickhouse-embedded.js'),
    arguments: [
      ...['clickhouse', '--config-file=config.xml', '--path=../data', '--listen_host=127.0.0.1'],
      ...[`--http_port=${http}`, `--tcp_port=${tcp}`],
    ],
    queriesFile: join(etc, 'start.sql'),
    env: {},
    directory: etc,
    insecure: true,
    confinement: { readable: [etc], executable: [], writable: [data], ports: [http, tcp] },
    log: () => {},
  });
  const url = `http://127.0.0.1:${http}`;
  const stop = async (): Promise<void> => {
    await engine.stop();
    rmSync(base, { recursive: true });
  };
  const giveUp = performance.now() + START_MS_MAX;
  while (
    !(await fetch(`${url}/ping`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (performance.now() > giveUp) {
      await stop();
      throw new Error(`the plain ClickHouse did not start: ${engine.reasons().join('\n')}`);
    }
    await sleep(20);
  }
  const tcpAddress = `127.0.0.1:${tcp}`;
  return { url, tcpAddress, password, stop, [Symbol.asyncDispose]: stop };
}

const CONFIG = `<clickhouse>
  <path>../data/</path>
  <users_config>users.xml</users_config>
  <log-level>error</log-level>
  <logger><console>1</console></logger>
  <mysql_port remove="remove"/>
  <postgresql_port remove="remove"/>
</clickhouse>
`;

function usersXml(password: string): string {
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
  const reader = '<profile>reader</profile><default_database>bigtrace</default_database>';
  return `<clickhouse>
  <profiles><default/><reader><readonly>2</readonly><cancel_http_readonly_queries_on_client_close>1</cancel_http_readonly_queries_on_client_close></reader></profiles>
  <quotas><default/></quotas>
  <users>
    ${user('default', '<password></password>', ['GRANT SYSTEM LISTEN ON *.*'])}
    ${user('admin', secret, ['GRANT ALL ON *.* WITH GRANT OPTION'])}
    ${user('analyst', secret, ['GRANT SELECT ON bigtrace.*'], reader)}
    ${user(PLAIN_DEFINER, `<password_sha256_hex>${'0'.repeat(64)}</password_sha256_hex>`, grants(PLAIN_DEFINER))}
  </users>
</clickhouse>
`;
}
