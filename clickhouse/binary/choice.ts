/** Decides which ClickHouse `bigtrace up` runs: the embedded engine, or the server of a `clickhouse` binary. */
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { versionOf } from './version.ts';

const ENGINE_LIBRARY = '@chdb/lib-linux-x64-gnu/libchdb.so';

export interface ServerBinary {
  path: string;
  /** Such as `26.7.2.1`. */
  version: string;
}

export interface Choice {
  /** Undefined: the embedded engine. */
  binary: ServerBinary | undefined;
  /** What was chosen, and why. */
  reason: string;
}

export interface Choosable {
  /** Path that --clickhouse-binary names. */
  named: string | undefined;
  /** Path of the embedded engine's library, if its package is installed. */
  library: string | undefined;
  /** The environment variable PATH. */
  path: string | undefined;
}

/**
 * Chooses the binary that is named, else the embedded engine, else the `clickhouse` of the PATH.
 * @throws invalid_option if there is none of them, or the binary is no ClickHouse, or too old
 */
export async function chooseClickHouse({ named, library, path }: Choosable): Promise<Choice> {
  if (named !== undefined) return serverOf(resolve(named), 'because --clickhouse-binary names it');
  if (library !== undefined)
    return {
      binary: undefined,
      reason: 'ClickHouse: the embedded engine, because its package is installed',
    };
  const platform = `${process.platform} ${process.arch}`;
  const found = onPath(path ?? '');
  if (found === undefined)
    throw new BigtraceError(
      'invalid_option',
      `there is no embedded ClickHouse for ${platform}, and no clickhouse on the PATH: install it ` +
        '(curl https://clickhouse.com/ | sh, or brew install clickhouse), name one with --clickhouse-binary PATH, ' +
        'or use your own server with --clickhouse URL',
    );
  return serverOf(found, `from the PATH, because there is no embedded ClickHouse for ${platform}`);
}

async function serverOf(path: string, why: string): Promise<Choice> {
  const version = await versionOf(path);
  return { binary: { path, version }, reason: `ClickHouse: ${path}, version ${version}, ${why}` };
}

/** Returns the first program `clickhouse` of a PATH. */
function onPath(path: string): string | undefined {
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  return directories.map((directory) => resolve(directory, 'clickhouse')).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @param dist directory of the build, beside or above which the packages are */
export function embeddedLibrary(dist: string): string | undefined {
  try {
    return createRequire(join(dist, 'bigtrace.js')).resolve(ENGINE_LIBRARY);
  } catch {
    return undefined; // npm installs the package only where it can run
  }
}
