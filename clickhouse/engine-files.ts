/**
 * What the embedded engine has on disk, in `<data dir>/clickhouse`: `etc`, laid out as /etc/clickhouse-server is
 * and written anew at each start, and `data`. The engine may write `data` alone.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TeamUser, teamUsersXml } from './team-users.ts';

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
  rmSync(etc, { recursive: true, force: true });
  for (const made of [directory, etc, join(etc, 'config.d'), join(etc, 'users.d'), data]) {
    mkdirSync(made, { recursive: true, mode: 0o700 });
    chmodSync(made, 0o700); // one that was there may be open to others
  }
  const copy = (from: string, to: string): void => {
    copyFileSync(join(tree, from), join(etc, to));
    chmodSync(join(etc, to), 0o600);
  };
  copy('embedded/config.xml', 'config.xml');
  copy('embedded/users.xml', 'users.xml');
  copy('embedded/start.sql', 'start.sql');
  copy('bigtrace_function.xml', 'bigtrace_function.xml');
  for (const part of ['config.d', 'users.d'])
    for (const file of readdirSync(join(tree, part))) copy(join(part, file), join(part, file));
  copy('embedded/users-embedded.xml', 'users.d/embedded.xml'); // read after bigtrace.xml
  if (users.length > 0)
    writeFileSync(join(etc, 'users.d/team.xml'), teamUsersXml(users), { mode: 0o600 });
  return {
    etc,
    queriesFile: join(etc, 'start.sql'),
    data,
  };
}
