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
import { afterAll, describe, expect, it, vi } from 'vitest';
import { indexCommand } from '../../../catalog/command.ts';
import { httpApiCommand } from '../../../http-api/command.ts';
import { materializeCommand } from '../../../http-api/materialize/command.ts';
import { byteSize, durationMs } from '../../../lib/common/options/options.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { orchestratorCommand } from '../../../orchestrator/command.ts';
import { METADATA_KEYS, specsOf } from '../../../orchestrator/scaler/scaler.ts';
import { workerCommand } from '../../../worker/command.ts';
import {
  kustomize,
  type Manifest,
  manifestsOf,
  validate,
  validateObjects,
} from '../../harness/kubernetes.ts';

interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  resources: { requests: { cpu: string; memory: string } };
  ports: { name: string; containerPort: number }[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
}

interface PodSpec {
  containers: [Container];
  terminationGracePeriodSeconds: number;
  serviceAccountName: string;
  volumes: { name: string; emptyDir?: { sizeLimit: string } }[];
}

function jobCommand(name: string): Command {
  return name === 'index' ? indexCommand({}, 'data') : materializeCommand({}, 'data');
}

/** Variables that are not of a flag. */
const OTHER_VARIABLES = ['BIGTRACE_PUBLIC_URL']; // superset/superset_config.py

const PODS = [
  ['Deployment', 'worker'],
  ['Deployment', 'orchestrator'],
  ['Deployment', 'http-api'],
  ['StatefulSet', 'clickhouse'],
] as const;

const OVERLAYS = readdirSync(join(ROOT, 'k8s/overlays'));
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-k8s-'));
afterAll(() => rmSync(directory, { recursive: true }));

function specOf<Spec>(manifests: Manifest[], kind: string, name: string): Spec {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found?.spec === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found.spec as Spec;
}

function podOf(manifests: Manifest[], kind: string, name: string): PodSpec {
  return specOf<{ template: { spec: PodSpec } }>(manifests, kind, name).template.spec;
}

/** Returns the environment variables of a container, and the settings of the ConfigMaps that it names. */
function variablesOf(manifests: Manifest[], { env = [], envFrom = [] }: Container): Variables {
  const settings = envFrom.map(({ configMapRef: { name } }) => {
    const found = manifests.find(
      (each) => each.kind === 'ConfigMap' && each.metadata.name === name,
    );
    if (found?.data === undefined) throw new Error(`there is no ConfigMap ${name}`);
    return found.data;
  });
  const own = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
  return Object.assign({}, ...settings, own);
}

type Variables = Record<string, string>;

/** Returns the options of a container's command, parsed by the command itself; fails on an unknown flag. */
function flagsOf<Flags>(command: Command, manifests: Manifest[], container: Container): Flags {
  const variables = variablesOf(manifests, container);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  try {
    return command
      .exitOverride()
      .action(() => undefined)
      .parse(container.args ?? [], { from: 'user' })
      .opts() as Flags;
  } finally {
    vi.unstubAllEnvs();
  }
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
    expect(names('PodDisruptionBudget')).toEqual(['clickhouse', 'orchestrator', 'worker']);
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
    const { drainTimeout } = flagsOf<{ drainTimeout: number }>(command(), manifests, container);
    const preStopMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
    expect(preStopMs).toBeGreaterThan(0);
    expect(drainTimeout).toBeGreaterThanOrEqual(durationMs('10s'));
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(preStopMs + drainTimeout);
  });

  it('sets variables that a service reads, in one ConfigMap for all', () => {
    const settings = manifests.filter(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('bigtrace-settings'),
    );
    expect(settings).toHaveLength(1);
    const commands = [workerCommand('/nowhere'), orchestratorCommand(), httpApiCommand({})];
    const known = commands.flatMap(({ options }) => options.map(({ envVar }) => envVar));
    for (const name of Object.keys(settings[0]?.data ?? {}))
      expect([...known, ...OTHER_VARIABLES]).toContain(name);
    for (const [kind, name] of PODS) {
      const [{ envFrom }] = podOf(manifests, kind, name).containers;
      expect(envFrom).toEqual([{ configMapRef: { name: settings[0]?.metadata.name } }]);
    }
  });

  it('limits the worker’s cache to less than its volume', () => {
    const { containers, volumes } = podOf(manifests, 'Deployment', 'worker');
    const { cacheBytes } = flagsOf<{ cacheBytes: number }>(
      workerCommand('/nowhere'),
      manifests,
      containers[0],
    );
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
    for (const [kind, name] of PODS) {
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

it('the workers that the autoscaler may start fit into the documented minikube', () => {
  const manifests = manifestsOf(kustomize('k8s/overlays/minikube'));
  const page = readFileSync(join(ROOT, 'docs/deploy/kubernetes.md'), 'utf8');
  const [, cpus = '', memory = ''] = /minikube start --cpus (\d+) --memory (\d+g)/.exec(page) ?? [];
  const { maxReplicas } = specOf<{ maxReplicas: number }>(
    manifests,
    'HorizontalPodAutoscaler',
    'worker',
  );
  let needed = { cores: 1, bytes: byteSize('1GiB') }; // of Kubernetes itself
  for (const [kind, name] of PODS) {
    const { replicas = maxReplicas } = specOf<{ replicas?: number }>(manifests, kind, name);
    const { cpu, memory: size } = podOf(manifests, kind, name).containers[0].resources.requests;
    const cores = cpu.endsWith('m') ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
    needed = {
      cores: needed.cores + replicas * cores,
      bytes: needed.bytes + replicas * byteSize(`${size}B`),
    };
  }
  expect(needed.cores).toBeLessThanOrEqual(Number(cpus));
  expect(needed.bytes).toBeLessThanOrEqual(byteSize(`${memory.toUpperCase()}iB`));
});

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
  const manifests = manifestsOf(kustomize(changed));
  const { ok, output } = validateObjects(manifests, join(own, 'all.yaml'));
  expect(ok, output).toBe(true);
  return manifests;
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
    const args = [...flags, ...(container.args ?? [])];
    flagsOf(jobCommand(name), manifests, { ...container, args });
  }
});

it('an overlay is valid with KEDA in place of the autoscaler', () => {
  const manifests = withComponent('gke', 'keda');
  expect(manifests.map(({ kind }) => kind)).not.toContain('HorizontalPodAutoscaler');
  const { scaleTargetRef, triggers } = specOf<{
    scaleTargetRef: { name: string };
    triggers: { metadata: Record<string, string> }[];
  }>(manifests, 'ScaledObject', 'worker');
  podOf(manifests, 'Deployment', scaleTargetRef.name);
  const [{ scalerAddress, ...targets } = {}] = triggers.map(({ metadata }) => metadata);
  expect(scalerAddress).toBe('orchestrator.bigtrace:5051');
  expect(specsOf(targets).map(({ metricName }) => metricName)).toEqual(['traces', 'trace_bytes']);
  expect(Object.keys(targets).sort()).toEqual([...METADATA_KEYS].sort());
  const [orchestrator] = podOf(manifests, 'Deployment', 'orchestrator').containers;
  expect(flagsOf(orchestratorCommand(), manifests, orchestrator)).toMatchObject({
    workerWait: durationMs('10m'),
  });
});

it.each(OVERLAYS)('overlay %s is valid with workers that set their deletion cost', (overlay) => {
  const manifests = withComponent(overlay, 'pod-deletion-cost');
  const { containers } = podOf(manifests, 'Deployment', 'worker');
  const [container] = containers;
  const env = container.env?.filter(({ name }) => name.startsWith('BIGTRACE_'));
  expect(env).toEqual([{ name: 'BIGTRACE_KUBERNETES_POD', value: '$(POD_NAMESPACE)/$(POD_NAME)' }]);
  const pod = { name: 'BIGTRACE_KUBERNETES_POD', value: 'bigtrace/worker-1' };
  expect(flagsOf(workerCommand('/nowhere'), manifests, { ...container, env: [pod] })).toMatchObject(
    { kubernetesPod: 'bigtrace/worker-1' },
  );
  const role = manifests.find(({ kind }) => kind === 'Role');
  expect(role).toMatchObject({ rules: [{ resources: ['pods'], verbs: ['patch'] }] });
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
