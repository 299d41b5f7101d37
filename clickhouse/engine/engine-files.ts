/**
 * Files of the ClickHouse that `bigtrace up` runs, in `<data dir>/clickhouse`. `etc` has the layout of
 * /etc/clickhouse-server; each start repairs it. `data`, or `server-data` with a server, is the only directory that it can
 * write: each has its own, because the version of a server, and so of its files, is not that of the embedded engine.
 */
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../lib/common/directories.ts';
import { writePrivateFile } from '../accounts/private-file.ts';
import { type TeamUser, teamUsersXml } from '../accounts/team-users.ts';

/** Names of `data` for the embedded engine and for a server. */
export const DATA_NAMES = ['data', 'server-data'] as const;

export interface EngineFiles {
  /** Directory of the configuration. */
  etc: string;
  /** File with the statements that the embedded engine runs when it starts. */
  queriesFile: string;
  data: string;
}

/**
 * Writes the configuration and creates the directories.
 * @param tree the built `clickhouse/` directory
 * @param isServer whether a server reads them, not the embedded engine
 */
export function writeEngineFiles(
  tree: string,
  dataDir: string,
  users: readonly TeamUser[],
  isServer = false,
): EngineFiles {
  const directory = join(dataDir, 'clickhouse');
  const [etc, data] = [join(directory, 'etc'), join(directory, DATA_NAMES[isServer ? 1 : 0])];
  for (const path of [directory, etc, join(etc, 'config.d'), join(etc, 'users.d'), data]) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(path);
    makeDirectory(path, 0o700);
    chmodSync(path, 0o700); // an existing directory may be accessible to others
  }
  const contents = wantedFiles(tree, users, isServer);
  for (const name of readdirSync(etc, { recursive: true, encoding: 'utf8' }))
    if (!contents.has(name) && name !== 'config.d' && name !== 'users.d')
      rmSync(join(etc, name), { recursive: true, force: true });
  for (const [name, content] of contents) settleFile(join(etc, name), content);
  return { etc, queriesFile: join(etc, 'start.sql'), data };
}

/** Contents of the configuration files, by name relative to `etc`. */
function wantedFiles(
  tree: string,
  users: readonly TeamUser[],
  isServer: boolean,
): Map<string, Buffer> {
  const own = (path: string): Buffer => readFileSync(join(tree, path));
  const parts = ['config.d', 'users.d'].flatMap((part) =>
    readdirSync(join(tree, part)).map((file) => join(part, file)),
  );
  const same = ['bigtrace_function.xml', ...parts].map((name) => [name, name] as const);
  // In users.d, ClickHouse reads these files after bigtrace.xml.
  const moved = [
    ...['config.xml', 'users.xml'].map((name) => [name, `embedded/${name}`] as const),
    ['users.d/embedded.xml', 'embedded/users-embedded.xml'] as const,
    ...(isServer ? [] : OF_THE_EMBEDDED_ENGINE),
  ];
  return new Map([
    ...[...same, ...moved].map(([name, source]) => [name, own(source)] as const),
    ...(users.length > 0 ? [['users.d/team.xml', Buffer.from(teamUsersXml(users))] as const] : []),
  ]);
}

/** How the embedded engine opens its listeners. */
const OF_THE_EMBEDDED_ENGINE = [
  ['start.sql', 'embedded/start.sql'],
  ['config.d/gatekeeper.xml', 'embedded/gatekeeper.xml'],
  ['users.d/default.xml', 'embedded/users-default.xml'],
] as const;

/**
 * Writes the file if its content differs. An unchanged file is kept, because on a full disk it could be deleted without
 * being written again.
 */
function settleFile(path: string, content: Buffer): void {
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && readFileSync(path).equals(content)) {
    chmodSync(path, 0o600);
    return;
  }
  rmSync(path, { recursive: true, force: true });
  writePrivateFile(path, content);
}
