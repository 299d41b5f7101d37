/** ClickHouse as a part of the system: a process, of the embedded engine or a server, or an external server. */
import { join } from 'node:path';
import type { Passwords } from '../../clickhouse/accounts/passwords.ts';
import {
  type Choice,
  chooseClickHouse,
  embeddedLibrary,
  type ServerBinary,
} from '../../clickhouse/binary/choice.ts';
import { startEmbeddedClickHouse } from '../../clickhouse/engine/launch.ts';
import { setUpClickHouse } from '../../clickhouse/views/set-up.ts';
import { portOf } from '../../lib/common/network/host-port.ts';
import { DIST } from '../paths.ts';
import type { ClickHouseAddress } from './announcement.ts';
import type { UpConfig } from './config.ts';
import type { LogFile } from './processes/log-file.ts';
import { clickHousePing } from './processes/pings.ts';
import type { Launch } from './processes/supervisor.ts';
import type { RunningService } from './processes/system-process.ts';

/** Starts the embedded engine, or the server of a binary. A restart reuses the ports of the first start. */
export function embeddedClickHouse(
  config: UpConfig,
  env: NodeJS.ProcessEnv,
  {
    orchestrator,
    binary,
    log,
  }: { orchestrator: string; binary: ServerBinary | undefined; log: LogFile },
): Launch<ClickHouseAddress> {
  return async (signal, previous): Promise<RunningService<ClickHouseAddress>> => {
    const engine = await startEmbeddedClickHouse({
      binary,
      dataDir: config.dataDir,
      dist: DIST,
      listen: config.listen,
      httpPort: portBefore(previous?.http) ?? config.clickhouseHttpPort,
      tcpPort: portBefore(previous?.tcp) ?? config.clickhouseTcpPort,
      orchestrator,
      passwords: passwordsFromEnv(env),
      insecure: config.insecure,
      env,
      log: (chunk) => log.write(chunk),
      signal,
    });
    const { pid, exited, stop, kill, httpAddress, tcpAddress } = engine;
    const address = {
      http: `http://${httpAddress}`,
      tcp: tcpAddress,
      passwordFiles: {
        admin: join(config.dataDir, 'admin.password'),
        analyst: join(config.dataDir, 'analyst.password'),
      },
    };
    return { pid, address, exited, ping: clickHousePing(address), stop, kill };
  };
}

/** @returns undefined with an external server. @throws invalid_option if there is no ClickHouse to run */
export async function chosenClickHouse(
  { clickhouseUrl, clickhouseBinary }: UpConfig,
  env: NodeJS.ProcessEnv,
): Promise<Choice | undefined> {
  if (clickhouseUrl !== undefined) return undefined;
  return chooseClickHouse({
    named: clickhouseBinary,
    library: embeddedLibrary(DIST),
    path: env['PATH'],
  });
}

/**
 * Sets up an external ClickHouse server.
 * @throws invalid_option if the server rejects the login, or required files are missing on its disk
 */
export async function ownClickHouse(
  url: string,
  env: NodeJS.ProcessEnv,
): Promise<ClickHouseAddress> {
  const { origin, username, password } = new URL(url);
  await setUpClickHouse(
    {
      url: origin,
      username: decodeURIComponent(username) || 'admin',
      password: decodeURIComponent(password) || (passwordsFromEnv(env).admin ?? ''),
    },
    join(DIST, 'clickhouse'),
  );
  return { http: origin, tcp: undefined, passwordFiles: {} };
}

/** Passwords from the environment; an empty variable counts as not set. */
export function passwordsFromEnv(env: NodeJS.ProcessEnv): Partial<Passwords> {
  const passwords = (['admin', 'analyst', 'service'] as const).flatMap((user) => {
    const password = env[`BIGTRACE_${user.toUpperCase()}_PASSWORD`];
    return password ? [[user, password] as const] : [];
  });
  return Object.fromEntries(passwords);
}

/** Returns the port of an address that the engine had before a restart. */
function portBefore(address: string | undefined): number | undefined {
  return address === undefined ? undefined : portOf(address);
}
