/** Checks the flags and variables in compose.yaml, the manifests and the images with the commands' own parsers. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { indexCommand } from '../../../catalog/command.ts';
import { httpApiCommand } from '../../../http-api/command.ts';
import { materializeCommand } from '../../../http-api/materialize/command.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { orchestratorCommand } from '../../../orchestrator/command.ts';
import { workerCommand } from '../../../worker/command.ts';

const COMMANDS = {
  'http-api': () => httpApiCommand({}),
  index: () => indexCommand({}, ''),
  materialize: () => materializeCommand({}, ''),
  orchestrator: orchestratorCommand,
  worker: () => workerCommand('/nowhere'),
};

type Service = keyof typeof COMMANDS;

/** The arguments and variables with which a container starts a service. */
interface Started {
  where: string;
  service: string;
  args: string[];
  /** Names of environment variables. */
  env: string[];
}

interface Container {
  name?: string;
  args?: string[];
  env?: { name: string; value?: string }[];
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const isService = (name: string): name is Service => Object.hasOwn(COMMANDS, name);

function inCompose(): Started[] {
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, { command?: string; environment?: Record<string, string> }>;
  };
  return Object.entries(services).map(([service, { command = '', environment = {} }]) => ({
    ...{ where: 'compose.yaml', service, env: Object.keys(environment) },
    args: words(command.replace(/\$\{\w+:-([^}]*)\}/g, '$1')),
  }));
}

/** Reads the manifests, including patches that a kustomization contains as text. */
function inManifests(): Started[] {
  const files = readdirSync(join(ROOT, 'k8s'), { recursive: true, encoding: 'utf8' });
  const manifests = files.filter((file) => file.endsWith('.yaml')).map((file) => `k8s/${file}`);
  return manifests.flatMap((where) => {
    const patches = parseAllDocuments(read(where)).flatMap((document) => {
      const { patches = [] } = (document.toJS() ?? {}) as { patches?: { patch?: string }[] };
      return patches.flatMap(({ patch = '' }) => parseAllDocuments(patch));
    });
    return [...parseAllDocuments(read(where)), ...patches]
      .flatMap((document) => containersIn(document.toJS()))
      .map(({ name = '', args = [], env = [] }) => ({
        ...{ where, service: name, args: args.map(settled), env: env.map((one) => one.name) },
      }));
  });
}

function containersIn(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'containers' in value ? (value.containers as Container[]) : [];
  return [...own, ...Object.values(value).flatMap(containersIn)];
}

/** Replaces `$(NAME)`, which stands for a variable of the container, with an example value. */
function settled(argument: string): string {
  return argument
    .replace('$(LOG_LEVEL)', 'info')
    .replace('$(WORKERS)', 'dns:///worker:5052')
    .replace('$(ORCHESTRATOR)', 'orchestrator:5051')
    .replace('$(CLICKHOUSE)', 'http://clickhouse:8123');
}

function inImages(): Started[] {
  return (['http-api', 'orchestrator', 'worker'] as const).map((service) => {
    const where = `containers/${service}.sh`;
    const command = read(where).replaceAll('\\\n', ' ');
    const [, flags = ''] = new RegExp(`bigtrace\\.js ${service} (.*)"\\$@"`).exec(command) ?? [];
    return { where, service, args: words(flags), env: [] };
  });
}

function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '');
}

const started = [...inCompose(), ...inManifests(), ...inImages()];

it('every deployed container is found', () => {
  const found = started.map(({ where, service }) => `${where.split('/')[0]} ${service}`).sort();
  expect(found).toEqual([
    ...['compose.yaml clickhouse', 'compose.yaml http-api', 'compose.yaml orchestrator'],
    ...['compose.yaml superset', 'compose.yaml worker'],
    ...['containers http-api', 'containers orchestrator', 'containers worker'],
    ...['k8s clickhouse', 'k8s http-api', 'k8s index', 'k8s materialize', 'k8s orchestrator'],
    ...['k8s superset', 'k8s worker', 'k8s worker', 'k8s worker', 'k8s worker'], // some from overlays and components
  ]);
});

describe.each(started)('$where: $service', ({ service, args, env }) => {
  it.runIf(isService(service))('has the flags that it is given', () => {
    const command = commandOf(service);
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    const { operands, unknown } = command.parseOptions(args);
    const words = operands.filter((word) => !word.startsWith('/')); // `bigtrace index` takes addresses
    expect({ words, unknown }).toEqual({ words: [], unknown: [] });
  });

  it('the program reads every variable that is set', () => {
    const known = variablesOf(service);
    const forArgs = ['LOG_LEVEL', 'WORKERS', 'ORCHESTRATOR', 'CLICKHOUSE'];
    const inOthers = ['POD_NAMESPACE', 'POD_NAME']; // parts of BIGTRACE_KUBERNETES_POD
    for (const name of env.filter((one) => ![...forArgs, ...inOthers].includes(one)))
      expect(known, name).toMatch(new RegExp(`\\b${name.replace(/_FILE$/, '')}(_FILE)?\\b`));
  });
});

function commandOf(service: string): Command {
  if (!isService(service)) throw new Error(`${service} is not ours`);
  return COMMANDS[service]();
}

/** Returns a text that contains the names of all variables that the service reads. */
function variablesOf(service: string): string {
  if (isService(service)) {
    const flags = commandOf(service).options.map(({ envVar }) => envVar);
    const script = `containers/${service}.sh`;
    return `${flags.join(' ')} ${existsSync(join(ROOT, script)) ? read(script) : ''}`;
  }
  const files = {
    clickhouse: [
      'containers/clickhouse/entrypoint.sh',
      'bridge/main.ts',
      'lib/common/options/orchestrator-variable.ts',
    ],
    superset: ['start.sh', 'superset_config.py', 'bigtrace_connection.py'].map(
      (name) => `superset/${name}`,
    ),
  }[service];
  return (files ?? []).map(read).join('\n');
}
