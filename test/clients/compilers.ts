/** Builds the clients that need a compiler. The lock file of each language pins what it downloads. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/common/root.ts';

const PROGRAMS = join(ROOT, 'test/clients/programs');
export const CACHE = join(ROOT, 'node_modules/.cache/clients');

/** The jar "all" has everything that the driver needs but slf4j. */
const JARS = [
  {
    artifact: 'com.clickhouse:clickhouse-jdbc:0.9.9:jar:all',
    file: 'clickhouse-jdbc-0.9.9-all.jar',
    sha256: '56b49bb9e40df699eff03215e3853ce028be9a6bf17f33687434901a74ee28e0',
  },
  {
    artifact: 'org.slf4j:slf4j-api:2.0.17',
    file: 'slf4j-api-2.0.17.jar',
    sha256: '7b751d952061954d5abfed7181c1f645d336091b679891591d63329c622eb832',
  },
];
const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';

function run(directory: string, program: string, ...args: string[]): void {
  execFileSync(program, args, { cwd: directory, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Returns a copy of the program's directory, in which it is built. */
function copied(name: string): string {
  const directory = join(CACHE, name);
  cpSync(join(PROGRAMS, name), directory, { recursive: true });
  return directory;
}

/** Command lines of the program of a language, and of the example of its page. */
export interface Built {
  program: string[];
  example: string[];
}

/** Needs `java` and `mvn`. */
export function buildJdbc(example: string): Built {
  const directory = copied('jdbc');
  const jars = JARS.map(jar).join(':');
  writeFileSync(join(directory, 'Example.java'), example);
  const java = (file: string): string[] => ['java', '-cp', jars, join(directory, file)];
  return { program: java('Client.java'), example: java('Example.java') };
}

/** Returns the path of a jar, which Maven downloads if necessary. */
function jar({ artifact, file, sha256 }: (typeof JARS)[number]): string {
  const path = join(CACHE, file);
  if (!existsSync(path))
    run(
      CACHE,
      'mvn',
      ...['--batch-mode', '--quiet', MAVEN_COPY],
      ...[`-Dartifact=${artifact}`, `-DoutputDirectory=${CACHE}`],
    );
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (digest !== sha256) throw new Error(`${path} has the SHA-256 digest ${digest}`);
  return path;
}

/** Needs `go`. */
export function buildGo(example: string): Built {
  const directory = copied('go');
  mkdirSync(join(directory, 'example'), { recursive: true });
  writeFileSync(join(directory, 'example/main.go'), example);
  run(directory, 'go', 'build', '-mod=readonly', '-o', 'built/', './...');
  const built = (name: string): string[] => [join(directory, 'built', name)];
  return { program: built('bigtrace-client'), example: built('example') };
}

/** Needs `cargo`. */
export function buildRust(example: string): Built {
  const directory = copied('rust');
  mkdirSync(join(directory, 'src/bin'), { recursive: true });
  writeFileSync(join(directory, 'src/bin/example.rs'), example);
  run(directory, 'cargo', 'build', '--locked', '--quiet');
  const built = (name: string): string[] => [join(directory, 'target/debug', name)];
  return { program: built('bigtrace-client'), example: built('example') };
}

/** Returns the command line of Redocly's lint of an OpenAPI file, which it has as its last argument. */
export function buildRedocly(): string[] {
  return [process.execPath, join(installed('redocly'), 'lint.mjs')];
}

/** Makes a client of an OpenAPI file, compiles a program that uses it, and returns its command line. */
export function buildOpenapiClient(openapi: string): string[] {
  const directory = installed('openapi');
  const tool = (path: string, ...args: string[]): void =>
    run(directory, process.execPath, join('node_modules', path), ...args);
  tool('openapi-typescript/bin/cli.js', openapi, '--output', 'schema.d.ts');
  tool('typescript/bin/tsc');
  return [process.execPath, join(directory, 'built/client.mjs')];
}

/** Returns a copy of the directory of a program in JavaScript, with its packages. */
function installed(name: string): string {
  const directory = copied(name);
  if (!existsSync(join(directory, 'node_modules')))
    run(directory, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent');
  return directory;
}
