/**
 * What the embedded engine has on disk, in `<data dir>/clickhouse`: `etc` (laid out as
 * /etc/clickhouse-server is, written anew at each start), `data` and `log`.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface EngineFiles {
  /** All of it. */
  directory: string;
  configFile: string;
  data: string;
  logFile: string;
  /** The users know this database as theirs, and cannot log in before it exists. */
  databaseExists: boolean;
}

/** `tree` is the built `clickhouse/` tree. */
export function writeEngineFiles(tree: string, dataDir: string): EngineFiles {
  const directory = join(dataDir, 'clickhouse');
  const [etc, data, log] = [
    join(directory, 'etc'),
    join(directory, 'data'),
    join(directory, 'log'),
  ];
  for (const made of [join(etc, 'config.d'), join(etc, 'users.d'), data, log])
    mkdirSync(made, { recursive: true, mode: 0o700 });
  const copy = (from: string, to: string): void => copyFileSync(join(tree, from), join(etc, to));
  copy('embedded/config.xml', 'config.xml');
  copy('embedded/users.xml', 'users.xml');
  copy('bigtrace_function.xml', 'bigtrace_function.xml');
  for (const part of ['config.d', 'users.d'])
    for (const file of readdirSync(join(tree, part))) copy(join(part, file), join(part, file));
  return {
    directory,
    configFile: join(etc, 'config.xml'),
    data,
    logFile: join(log, 'clickhouse.log'),
    databaseExists: existsSync(join(data, 'metadata/bigtrace.sql')),
  };
}

/** Chooses what `default` may do in the next start of the engine. */
export function useUsers(
  tree: string,
  files: EngineFiles,
  which: 'first-start' | 'listening',
): void {
  // By its name it is read after users.d/bigtrace.xml.
  const target = join(dirname(files.configFile), 'users.d/embedded.xml');
  copyFileSync(join(tree, `embedded/users-${which}.xml`), target);
}
