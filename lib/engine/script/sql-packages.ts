/**
 * SQL packages that the operator provides: directories of modules that scripts include with
 * `INCLUDE PERFETTO MODULE name.sub.file`, as with trace_processor_shell's --add-sql-package.
 */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../common/errors.ts';
import { joinTraits, type ScriptTraits, scriptTraits } from './script-traits.ts';

export interface SqlPackage {
  name: string;
  /** Sorted by name, so that the registration does not depend on the order of a directory. */
  modules: SqlModule[];
}

export interface SqlModule {
  /** `package.sub.file`, the name in INCLUDE PERFETTO MODULE. */
  name: string;
  sql: Uint8Array;
}

/** A summary of a package, without its SQL. */
export interface PackageFacts {
  name: string;
  modules: number;
  /** The joined traits of all its modules. A script that includes any of them has these traits, too. */
  traits: ScriptTraits;
}

export function packageFacts({ name, modules }: SqlPackage): PackageFacts {
  const traits = modules.map(({ sql }) => scriptTraits(sql)).reduce(joinTraits);
  return { name, modules: modules.length, traits };
}

/** Bound of all packages together, because every instance of the engine holds them in memory. */
const BYTES_MAX = 8 * 2 ** 20;
const MODULES_MAX = 10_000;
const DEPTH_MAX = 16;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SUFFIX = '.sql';

/**
 * Reads packages given as `name=directory` and returns them sorted by name.
 * @throws BigtraceError invalid_option that names the package and the file
 */
export function readSqlPackages(option: readonly string[]): SqlPackage[] {
  const packages = new Map<string, SqlPackage>();
  let bytes = 0;
  let modules = 0;
  for (const text of option) {
    const { name, directory } = split(text);
    if (packages.has(name)) throw invalidPackage(text, `package ${name} is given twice`);
    const read: SqlModule[] = [];
    for (const { path, size, parts } of sqlFiles(directory, text)) {
      bytes += size;
      modules += 1;
      if (bytes > BYTES_MAX)
        throw invalidPackage(text, `packages are larger than ${BYTES_MAX} bytes`);
      if (modules > MODULES_MAX)
        throw invalidPackage(text, `packages have more than ${MODULES_MAX} modules`);
      read.push({ name: [name, ...parts].join('.'), sql: new Uint8Array(readFileSync(path)) });
    }
    if (read.length === 0) throw invalidPackage(text, `${directory} has no ${SUFFIX} file`);
    packages.set(name, { name, modules: read.sort((a, b) => (a.name < b.name ? -1 : 1)) });
  }
  return [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function split(text: string): { name: string; directory: string } {
  const [, name = '', directory = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  if (directory === '') throw invalidPackage(text, 'it must be name=directory');
  if (!NAME.test(name)) throw invalidPackage(text, `name ${name} must be letters, digits and _`);
  return { name, directory };
}

/**
 * Yields the .sql files of a directory and its subdirectories. Links are followed, because Kubernetes mounts the files
 * of a ConfigMap as links; names that begin with a dot are skipped.
 */
function* sqlFiles(
  directory: string,
  option: string,
  above: readonly string[] = [],
): Generator<{ path: string; size: number; parts: string[] }> {
  if (above.length > DEPTH_MAX)
    throw invalidPackage(option, `${directory} is more than ${DEPTH_MAX} levels deep`);
  for (const entry of namesIn(directory, option)) {
    if (entry.startsWith('.')) continue;
    const path = join(directory, entry);
    const info = statOf(path, option);
    if (info.isDirectory()) yield* sqlFiles(path, option, [...above, entry]);
    else if (info.isFile() && entry.endsWith(SUFFIX)) {
      const parts = [...above, entry.slice(0, -SUFFIX.length)];
      const odd = parts.find((part) => !NAME.test(part));
      if (odd !== undefined)
        throw invalidPackage(
          option,
          `${path}: no script can name a module whose part is ${odd}; it must be letters, digits and _`,
        );
      yield { path, size: info.size, parts };
    }
  }
}

function namesIn(directory: string, option: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    throw invalidPackage(option, `${directory} cannot be read: ${reason(cause)}`, cause);
  }
}

function statOf(path: string, option: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw invalidPackage(option, `${path} cannot be read: ${reason(cause)}`, cause);
  }
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function invalidPackage(option: string, why: string, cause?: unknown): BigtraceError {
  return new BigtraceError('invalid_option', `--sql-package ${option}: ${why}`, { cause });
}
