import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { indexCommand } from '../../../catalog/command.ts';
import { httpApiCommand } from '../../../http-api/command.ts';
import { materializeCommand } from '../../../http-api/materialize/command.ts';
import { byteSize, durationMs } from '../../../lib/common/options/options.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { orchestratorCommand } from '../../../orchestrator/command.ts';
import { workerCommand } from '../../../worker/command.ts';
import { kustomize, type Manifest, manifestsOf, validate } from '../../harness/kubernetes.ts';

interface Container {
  image: string;
  command?: string[];
  args?: string[];
  ports: { name: string; containerPort: number }[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
}

interface PodSpec {
  containers: [Container];
  terminationGracePeriodSeconds: number;
  serviceAccountName: string;
  volumes: { name: string; emptyDir?: { sizeLimit: string } }[];
}

const JOB_COMMANDS: Record<string, Command> = {
  index: indexCommand({}, 'data'),
  materialize: materializeCommand({}, 'data'),
};

const OVERLAYS = readdirSync(join(ROOT, 'k8s/overlays'));
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-k8s-'));
afterAll(() => rmSync(directory, { recursive: true }));

function podOf(manifests: Manifest[], kind: string, name: string): PodSpec {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  const template = found?.spec?.['template'] as { spec: PodSpec } | undefined;
  if (template === undefined) throw new Error(`there is no ${kind} ${name}`);
  return template.spec;
}

/** Returns the options of a container's command, parsed by the command itself; fails on an unknown flag. */
function flagsOf(command: Command, { args = [] }: Container): Record<string, unknown> {
  command.exitOverride();
  const literal = args.map((argument) => argument.replace('$(LOG_LEVEL)', 'info'));
  const { unknown } = command.parseOptions(
    literal.map((argument) =>
      argument
        .replace('$(WORKERS)', 'dns:///worker:5052')
        .replace('$(ORCHESTRATOR)', 'orchestrator:5051')
        .replace('$(CLICKHOUSE)', 'http://clickhouse:8123'),
    ),
  );
  expect(unknown).toEqual([]);
  return command.opts();
}

it('the validation refuses an unknown field and a wrong type', () => {
  const file = join(directory, 'wrong.yaml');
  const service = (field: string) =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ${field}, ports: [{ port: 1 }] }\n`;
  writeFileSync(file, service('clusterIP: None'));
  expect(validate(file)).toMatchObject({ ok: true });
  writeFileSync(file, service('clusterIPP: None'));
  expect(validate(file)).toMatchObject({
    ok: false,
    output: expect.stringContaining('clusterIPP'),
  });
  writeFileSync(file, service('clusterIP: 5'));
  expect(validate(file)).toMatchObject({ ok: false, output: expect.stringContaining('clusterIP') });
});

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const yaml = kustomize(`k8s/overlays/${overlay}`);
  const manifests = manifestsOf(yaml);

  it('passes the strict validation', () => {
    const file = join(directory, `${overlay}.yaml`);
    writeFileSync(file, yaml);
    const { ok, output } = validate(file);
    expect(output.match(/passed for resource/g)).toHaveLength(manifests.length);
    expect(ok, output).toBe(true);
  });

  it('has a Service, a ServiceAccount and a NetworkPolicy for each part', () => {
    const names = (kind: string) =>
      manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
    const parts = ['clickhouse', 'http-api', 'orchestrator', 'worker'];
    for (const kind of ['Service', 'ServiceAccount', 'NetworkPolicy'])
      expect(names(kind), kind).toEqual(expect.arrayContaining(parts));
    expect(names('HorizontalPodAutoscaler')).toEqual(['worker']);
    expect(names('PodDisruptionBudget')).toEqual(['clickhouse', 'worker']);
  });

  it('uses the configuration files in clickhouse/', () => {
    const config = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('clickhouse-config'),
    );
    const tree = (path: string) => readFileSync(join(ROOT, 'clickhouse', path), 'utf8');
    expect(config?.data).toEqual({
      'config.xml': tree('config.d/bigtrace.xml'),
      'users.xml': tree('users.d/bigtrace.xml'),
    });
    for (const directory of ['config.d', 'users.d'])
      expect(readdirSync(join(ROOT, 'clickhouse', directory))).toEqual(['bigtrace.xml']);
  });

  it.each([
    ['worker', () => workerCommand('/nowhere')],
    ['orchestrator', orchestratorCommand],
    ['http-api', () => httpApiCommand({})],
  ] as const)('starts %s with existing flags and with enough time to drain', (name, command) => {
    const { containers, terminationGracePeriodSeconds } = podOf(manifests, 'Deployment', name);
    const [container] = containers;
    const { drainTimeout } = flagsOf(command(), container) as { drainTimeout: number };
    const preStopMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
    expect(preStopMs).toBeGreaterThan(0);
    expect(drainTimeout).toBeGreaterThanOrEqual(durationMs('10s'));
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(preStopMs + drainTimeout);
  });

  it('limits the worker’s cache to less than its volume', () => {
    const { containers, volumes } = podOf(manifests, 'Deployment', 'worker');
    const { cacheBytes } = flagsOf(workerCommand('/nowhere'), containers[0]) as {
      cacheBytes: number;
    };
    const limit = volumes.find(({ name }) => name === 'cache')?.emptyDir?.sizeLimit ?? '';
    expect(cacheBytes).toBeLessThan(byteSize(`${limit}B`) * 0.95);
  });

  it('declares the ports that the images expose', () => {
    const dockerfile = readFileSync(join(ROOT, 'containers/Dockerfile'), 'utf8');
    const exposed = (target: string): number[] => {
      const stage = dockerfile.split(/^FROM .* AS /m).find((text) => text.startsWith(target));
      return [...(stage ?? '').matchAll(/^EXPOSE (.*)$/gm)].flatMap(([, ports = '']) =>
        ports.split(' ').map(Number),
      );
    };
    for (const [kind, name] of [
      ['Deployment', 'worker'],
      ['Deployment', 'orchestrator'],
      ['Deployment', 'http-api'],
      ['StatefulSet', 'clickhouse'],
    ] as const) {
      const [container] = podOf(manifests, kind, name).containers;
      expect(container.ports.map(({ containerPort }) => containerPort)).toEqual(exposed(name));
    }
  });
});

it.each(OVERLAYS)(
  'overlay %s gives ClickHouse time to finish queries, and room for its logs',
  (overlay) => {
    const manifests = manifestsOf(kustomize(`k8s/overlays/${overlay}`));
    const { containers, terminationGracePeriodSeconds, volumes } = podOf(
      manifests,
      'StatefulSet',
      'clickhouse',
    );
    const config = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('clickhouse-server'),
    );
    const setting = (name: string): string =>
      new RegExp(`<${name}>(.*)</${name}>`).exec(
        config?.data?.['clickhouse-server.xml'] ?? '',
      )?.[1] ?? '';
    const preStop = containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
    const wait = Number(setting('shutdown_wait_unfinished'));
    expect(wait).toBeGreaterThan(0);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(preStop + wait);
    const limit = volumes.find(({ name }) => name === 'logs')?.emptyDir?.sizeLimit ?? '';
    const logFiles = 2 * (Number(setting('count')) + 1);
    expect(logFiles * byteSize(`${setting('size')}iB`)).toBeLessThan(byteSize(`${limit}B`));
  },
);

/** Returns the manifests of an overlay with a component, which must be valid. */
function withComponent(overlay: string, component: string): Manifest[] {
  const own = mkdtempSync(join(directory, `with-${component}-`));
  for (const part of ['k8s', 'clickhouse'])
    cpSync(join(ROOT, part), join(own, part), { recursive: true });
  const changed = join(own, 'k8s/overlays', overlay);
  appendFileSync(
    join(changed, 'kustomization.yaml'),
    `components: [../../components/${component}]\n`,
  );
  const file = join(own, 'all.yaml');
  writeFileSync(file, kustomize(changed));
  const { ok, output } = validate(file);
  expect(ok, output).toBe(true);
  return manifestsOf(readFileSync(file, 'utf8'));
}

it.each(OVERLAYS)('overlay %s is valid with the catalog jobs, whose commands exist', (overlay) => {
  const manifests = withComponent(overlay, 'catalog-jobs');
  const jobs = manifests.filter(({ kind }) => kind === 'CronJob');
  expect(jobs.map(({ metadata }) => metadata.name).sort()).toEqual(['index', 'materialize']);
  for (const { metadata, spec } of jobs) {
    const { jobTemplate } = spec as {
      jobTemplate: { spec: { template: { spec: { containers: [Container] } } } };
    };
    const [container] = jobTemplate.spec.template.spec.containers;
    expect(container.image).toBe(
      podOf(manifests, 'Deployment', 'orchestrator').containers[0].image,
    );
    const [name = '', ...flags] = (container.command ?? []).slice(2);
    expect(name).toBe(metadata.name);
    const command = JOB_COMMANDS[name];
    command?.exitOverride();
    const args = [...flags, ...(container.args ?? [])];
    expect(command?.parseOptions(args).unknown).toEqual([]);
  }
});

it.each(OVERLAYS)('overlay %s is valid with the Superset component', (overlay) => {
  const manifests = withComponent(overlay, 'superset');
  const kinds = manifests
    .filter(({ metadata }) => metadata.name === 'superset')
    .map((one) => one.kind);
  expect(kinds.sort()).toEqual(['Deployment', 'NetworkPolicy', 'PersistentVolumeClaim', 'Service']);
  const [{ image, ports }] = podOf(manifests, 'Deployment', 'superset').containers;
  const [worker] = podOf(manifests, 'Deployment', 'worker').containers;
  expect(image).toBe(worker.image.replace('worker', 'superset'));
  expect(ports).toEqual([{ name: 'http', containerPort: 8088 }]);
});
