/** Checks that each flag and `BIGTRACE_…` variable in documents, manifests, Dockerfiles and scripts exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { COMMANDS } from '../../../cli/commands.ts';
import { passwordsFromEnv } from '../../../cli/up/clickhouse.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { ENGINE_RUNTIMES } from '../../../lib/engine/index.ts';

const ROOMS = ['docs', 'k8s', 'containers', 'superset', 'samples', 'clickhouse', 'bridge'];
const SINGLE_FILES = ['README.md', 'compose.yaml', '.env.example'];
const SOURCES = [
  'http-api',
  'mcp',
  'bridge',
  'catalog',
  'cli',
  'clickhouse',
  'lib',
  'orchestrator',
];
const MORE_SOURCES = ['python/src', 'superset', 'tools', 'worker', 'containers'];

/** Flags of other programs, such as docker compose and npm run bench, that documents name without the program. */
const FOREIGN = new Set([
  ...['--project-directory', '--scale', '--continue'],
  ...['--add-sql-package', '--enable-l4-ilb-subsetting'],
  ...['--server_socket', '--worker_address', '--worker_port', '--worker_count', '--worker_list'],
  ...['--name_resolution_scheme', '--thread_pool_size'],
  ...['--no-rehash-snapshot', '--single-threaded', '--no-opt'], // of Node and V8
  ...['--max-lazy', '--no-sparkplug', '--no-lazy-feedback-allocation'],
]);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function below(room: string, names: RegExp): string[] {
  return readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && names.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const DOCUMENTS = [
  ...SINGLE_FILES,
  ...ROOMS.flatMap((room) => below(room, /\.(md|yaml|sh|xml)$|^Dockerfile$/)),
];

const commands = new Map<string, Command>();
beforeAll(async () => {
  for (const [name, load] of Object.entries(COMMANDS)) commands.set(name, await load());
});

function hasFlag(flag: string, name?: string): boolean {
  if (flag === '--help' || flag === '-h' || flag === '--version') return true;
  const described = name === undefined ? [...commands.values()] : [commands.get(name)];
  return described
    .flatMap((command) => (command === undefined ? [] : [command, ...command.commands]))
    .some(({ options }) => options.some(({ long, short }) => long === flag || short === flag));
}

/** Returns the command lines of a document, with continuation lines joined, and the inline code of its prose. */
function snippetsOf(path: string): string[] {
  const text = read(path).replace(/\\\n\s*/g, ' ');
  if (!path.endsWith('.md')) return text.split('\n').map((line) => line.replace(/^\s*#+\s*/, ''));
  const fenced: string[] = [];
  const prose = text.replace(/^ *```.*?\n(.*?)^ *```/gms, (_, block: string) => {
    fenced.push(...block.split('\n'));
    return '';
  });
  return [...fenced, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)];
}

/** Returns the flags in a part of a command line. */
function flagsIn(text: string): string[] {
  return [...text.matchAll(/(?:^|[\s,[])(--[a-z][\w-]*|-[a-z])(?=[=\s,;\]`]|$)/g)].map(
    ([, flag = '']) => flag,
  );
}

/** Returns the `[command, flag]` pairs that a snippet names; the command is undefined for a flag on its own. */
function namedFlags(snippet: string): [string | undefined, string][] {
  if (snippet.startsWith('--')) return flagsIn(snippet).map((flag) => [undefined, flag]);
  return snippet.split(/\s(?:\||&&|;)\s/).flatMap((simple) => {
    const [, direct, rest = ''] =
      /(?:^|[\s/])bigtrace(?:\.m?js)? ([a-z-]+)\b(.*)/.exec(simple) ?? [];
    const [, started = ''] = /\bnpm start --(.*)/.exec(simple) ?? [];
    if (direct !== undefined && commands.has(direct))
      return flagsIn(rest).map((flag): [string, string] => [direct, flag]);
    return flagsIn(started).map((flag): [string, string] => ['up', flag]);
  });
}

interface Container {
  name?: string;
  args?: string[];
}

/** Returns the names and arguments of all services in a manifest or a patch, at any depth. */
function serviceArguments(node: unknown): [string, string[]][] {
  if (typeof node === 'string' && node.includes('containers:'))
    return serviceArguments(parse(node));
  if (typeof node !== 'object' || node === null) return [];
  const { name, args } = node as Container;
  const own: [string, string[]][] =
    Array.isArray(args) && name !== undefined && commands.has(name) ? [[name, args]] : [];
  return [...own, ...Object.values(node).flatMap(serviceArguments)];
}

describe('flags', () => {
  it.each(DOCUMENTS)('every flag that %s names exists', (path) => {
    const wrong = snippetsOf(path)
      .flatMap(namedFlags)
      .filter(([name, flag]) => !hasFlag(flag, name) && !(name === undefined && FOREIGN.has(flag)));
    expect(wrong).toEqual([]);
  });

  it.each(below('k8s', /\.yaml$/))('of the services in %s exist', (path) => {
    const services = parseAllDocuments(read(path)).flatMap((one) => serviceArguments(one.toJS()));
    for (const [name, args] of services)
      for (const flag of args.flatMap(flagsIn))
        expect([name, flag, hasFlag(flag, name)]).toEqual([name, flag, true]);
  });

  it('every flag of the services in compose.yaml exists', () => {
    const { services } = parse(read('compose.yaml'), { merge: true }) as {
      services: Record<string, { command?: string }>;
    };
    const ours = ['worker', 'orchestrator', 'http-api'];
    const named = ours.map((name) => flagsIn(services[name]?.command ?? ''));
    expect(named.map((flags) => flags.length > 3)).toEqual([true, true, true]);
    for (const [at, name] of ours.entries())
      expect(named[at]?.filter((flag) => !hasFlag(flag, name))).toEqual([]);
  });

  it('every flag in FOREIGN is named by a document and is not a flag of Bigtrace', () => {
    const named = DOCUMENTS.flatMap(snippetsOf)
      .flatMap(namedFlags)
      .map(([, flag]) => flag);
    expect([...FOREIGN].filter((flag) => !named.includes(flag) || hasFlag(flag))).toEqual([]);
  });

  it('the check detects flags that do not exist', () => {
    expect(namedFlags('bigtrace up --wrkers 3 --traces x')).toEqual([
      ['up', '--wrkers'],
      ['up', '--traces'],
    ]);
    expect(namedFlags('--memory')).toEqual([[undefined, '--memory']]);
    expect(hasFlag('--memory')).toBe(false);
    expect(hasFlag('--wrkers', 'up')).toBe(false);
    expect(serviceArguments({ containers: [{ name: 'worker', args: ['--a=1'] }] })).toEqual([
      ['worker', ['--a=1']],
    ]);
  });
});

/** Patterns for code that reads a variable, in the languages of the project. */
const READS = [
  /\benv\w*\[['"](BIGTRACE_\w+)/g,
  /\benv\w*\.(BIGTRACE_\w+)/g,
  /\.env\('(BIGTRACE_\w+)/g,
  /_VARIABLE = '(BIGTRACE_\w+)/g,
  /\$\{?(BIGTRACE_\w+)/g,
  /from_env="(BIGTRACE_\w+)/g,
  /environ(?:\.get\(|\[)['"](BIGTRACE_\w+)/g,
  /\bgetenv\(['"](BIGTRACE_\w+)/g,
];

/** Variables of the pods that are no flags: of the bridge, upstream's name of one, and of Superset. */
const NO_FLAGS = [
  ...['BIGTRACE_CLICKHOUSE_HTTP', 'BIGTRACE_NODE', 'BIGTRACE_ORCHESTRATOR_ADDRESS'],
  'BIGTRACE_QUERY_SECONDS_MAX',
];

describe('variables', () => {
  const sources = [...SOURCES, ...MORE_SOURCES].flatMap((room) =>
    below(room, /(?<!test)\.(ts|mjs|py|sh|xml)$|^Dockerfile$/),
  );
  const texts = [...sources, 'compose.yaml'].map(read);
  const readSomewhere = new Set(
    texts.flatMap((text) =>
      READS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name)),
    ),
  );

  const exists = (name: string): boolean =>
    readSomewhere.has(name) ||
    Object.keys(passwordsFromEnv({ [name]: 'secret' })).length > 0 ||
    [...commands.values()].some((command) => command.options.some(({ envVar }) => envVar === name));

  it.each(DOCUMENTS)('every variable that %s names exists', (path) => {
    const names = [...read(path).matchAll(/\bBIGTRACE_[A-Z0-9_]*[A-Z0-9]\b/g)].map(
      ([name]) => name,
    );
    expect([...new Set(names)].filter((name) => !exists(name))).toEqual([]);
  });

  it('the chart accepts the variables of the services, and those that are no flags', () => {
    const services = ['worker', 'orchestrator', 'http-api', 'index', 'materialize'];
    const flags = services.flatMap((name) =>
      (commands.get(name)?.options ?? []).map(({ envVar = '' }) => envVar),
    );
    const ofServices = flags.filter((name) => name.startsWith('BIGTRACE_'));
    const schema = JSON.parse(read('charts/bigtrace/values.schema.json'));
    const { enum: accepted } = schema.properties.settings.propertyNames;
    expect(accepted).toEqual([...new Set([...NO_FLAGS, ...ofServices])].toSorted());
    expect(NO_FLAGS.filter((name) => !exists(name) || flags.includes(name))).toEqual([]);
  });

  it('the check detects variables that do not exist', () => {
    expect([exists('BIGTRACE_THREADS'), exists('BIGTRACE_TREADS')]).toEqual([true, false]);
  });
});

it('the Dockerfile has a stage for each runtime of the engine', () => {
  const stages = [...read('containers/Dockerfile').matchAll(/ AS engine-(\w+)$/gm)];
  expect(stages.map(([, runtime]) => runtime).toSorted()).toEqual([...ENGINE_RUNTIMES].toSorted());
});
