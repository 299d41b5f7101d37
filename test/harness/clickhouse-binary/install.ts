/**
 * A stand-in for the official `clickhouse` binary, where no such binary can be had: it serves with the embedded engine, and
 * has the command line of `clickhouse server`.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ROOT } from '../../../lib/common/root.ts';

/** The version that `clickhouse server --version` prints. */
export const STAND_IN_VERSION = '26.7.2.1';

const PACKAGES = ['ffi-rs', '@yuuang/ffi-rs-linux-x64-gnu', '@chdb/lib-linux-x64-gnu'];

/**
 * Installs it in the directory that the server of `dataDir` may write, because nothing else is needed by an official
 * binary, and the kernel lets it read nothing else. @returns the path of the binary
 */
export function installStandIn(dataDir: string): string {
  const directory = join(dataDir, 'clickhouse/server-data/stand-in');
  mkdirSync(directory, { recursive: true });
  for (const name of PACKAGES) {
    const source = packageDirectory(name);
    const target = join(directory, 'node_modules', name);
    cpSync(source, target, { recursive: true, filter: (path) => !path.endsWith('libchdb.so') });
    if (name.startsWith('@chdb'))
      linkOrCopy(join(source, 'libchdb.so'), join(target, 'libchdb.so'));
  }
  copyFileSync(join(import.meta.dirname, 'server.mjs'), join(directory, 'server.mjs'));
  return writeBinary(
    directory,
    STAND_IN_VERSION,
    `exec "$BIGTRACE_NODE" '${directory}/server.mjs' "$@"`,
  );
}

/** @param otherwise what the script does if it is not asked for its version */
export function writeBinary(directory: string, version: string, otherwise = 'exit 1'): string {
  const path = join(directory, 'clickhouse');
  const text = `#!/bin/sh
if [ "$*" = 'server --version' ]; then
  echo 'ClickHouse server version ${version} (stand-in).'
  exit
fi
${otherwise}
`;
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function packageDirectory(name: string): string {
  const require = createRequire(join(ROOT, 'package.json'));
  return realpathSync(dirname(require.resolve(`${name}/package.json`)));
}

/** The library has 0.5 GB. */
function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target); // on another file system
  }
}
