/**
 * Files of the embedded engine in `<data dir>/clickhouse`. `etc` has the layout of /etc/clickhouse-server; each start
 * repairs it. `data` is the only directory that the engine can write.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '../accounts/private-file.ts';
import { type TeamUser, teamUsersXml } from '../accounts/team-users.ts';

export interface EngineFiles {
  /** Directory of the configuration. */
  etc: string;
  /** File with the statements that the engine runs when it starts. */
  queriesFile: string;
  data: string;
}

/** Writes the configuration and creates the directories. @param tree the built `clickhouse/` directory */
export function writeEngineFiles(
  tree: string,
  dataDir: string,
  users: readonly TeamUser[],
): EngineFiles {
  const directory = join(dataDir, 'clickhouse');
  const [etc, data] = [join(directory, 'etc'), join(directory, 'data')];
  for (const path of [directory, etc, join(etc, 'config.d'), join(etc, 'users.d'), data]) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(path);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700); // an existing directory may be accessible to others
  }
  const contents = wantedFiles(tree, users);
  for (const name of readdirSync(etc, { recursive: true, encoding: 'utf8' }))
    if (!contents.has(name) && name !== 'config.d' && name !== 'users.d')
      rmSync(join(etc, name), { recursive: true, force: true });
  for (const [name, content] of contents) settleFile(join(etc, name), content);
  return { etc, queriesFile: join(etc, 'start.sql'), data };
}

/** Contents of the configuration files, by name relative to `etc`. */
function wantedFiles(tree: string, users: readonly TeamUser[]): Map<string, Buffer> {
  const own = (path: string): Buffer => readFileSync(join(tree, path));
  const parts = ['config.d', 'users.d'].flatMap((part) =>
    readdirSync(join(tree, part)).map((file) => join(part, file)),
  );
  return new Map([
    ...['config.xml', 'users.xml', 'start.sql'].map(
      (name) => [name, own(join('embedded', name))] as const,
    ),
    ...['bigtrace_function.xml', ...parts].map((name) => [name, own(name)] as const),
    ['users.d/embedded.xml', own('embedded/users-embedded.xml')], // loaded after bigtrace.xml
    ...(users.length > 0 ? [['users.d/team.xml', Buffer.from(teamUsersXml(users))] as const] : []),
  ]);
}

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
