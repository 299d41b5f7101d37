/**
 * What the embedded engine has on disk, in `<data dir>/clickhouse`: `etc`, laid out as /etc/clickhouse-server is
 * and made anew at each start where it is not as it should be, and `data`. The engine may write `data` alone.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '../accounts/private-file.ts';
import { type TeamUser, teamUsersXml } from '../accounts/team-users.ts';

export interface EngineFiles {
  /** The configuration. */
  etc: string;
  /** What it runs when it starts. */
  queriesFile: string;
  data: string;
}

/** `tree` is the built `clickhouse/` tree. */
export function writeEngineFiles(
  tree: string,
  dataDir: string,
  users: readonly TeamUser[],
): EngineFiles {
  const directory = join(dataDir, 'clickhouse');
  const [etc, data] = [join(directory, 'etc'), join(directory, 'data')];
  for (const made of [directory, etc, join(etc, 'config.d'), join(etc, 'users.d'), data]) {
    if (lstatSync(made, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(made);
    mkdirSync(made, { recursive: true, mode: 0o700 });
    chmodSync(made, 0o700); // one that was there may be open to others
  }
  const wanted = wantedFiles(tree, users);
  for (const name of readdirSync(etc, { recursive: true, encoding: 'utf8' }))
    if (!wanted.has(name) && name !== 'config.d' && name !== 'users.d')
      rmSync(join(etc, name), { recursive: true, force: true });
  for (const [name, content] of wanted) settleFile(join(etc, name), content);
  return { etc, queriesFile: join(etc, 'start.sql'), data };
}

/** By their names in `etc`. */
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
    ['users.d/embedded.xml', own('embedded/users-embedded.xml')], // read after bigtrace.xml
    ...(users.length > 0 ? [['users.d/team.xml', Buffer.from(teamUsersXml(users))] as const] : []),
  ]);
}

/** One that is as it should be stays: on a full disk it could be removed and not be written again. */
function settleFile(path: string, content: Buffer): void {
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && readFileSync(path).equals(content)) {
    chmodSync(path, 0o600);
    return;
  }
  rmSync(path, { recursive: true, force: true });
  writePrivateFile(path, content);
}
