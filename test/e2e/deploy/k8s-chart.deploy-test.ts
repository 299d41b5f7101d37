/** The Helm chart: its objects are those of kustomize, and its options change them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ROOT } from '../../../lib/common/root.ts';
import { VERSION } from '../../../lib/common/version.ts';
import {
  helm,
  kustomize,
  type Manifest,
  manifestsOf,
  validateObjects,
} from '../../harness/kubernetes.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-chart-'));
afterAll(() => rmSync(directory, { recursive: true }));

const CHART = 'charts/bigtrace';

/** Helm asks no cluster for its version; built from the module, it would take an old one for it. */
const KUBE = ['--kube-version', '1.34.0'];

/** Renders the chart in the namespace of kustomize's objects. */
function rendered(...options: string[]): Manifest[] {
  const { status, stdout, output } = helm(
    ...['template', 'bigtrace', CHART, ...KUBE, '--namespace', 'bigtrace', ...options],
  );
  expect(status, output).toBe(0);
  return manifestsOf(stdout);
}

/** Labels and annotations that only one of the two tools adds. */
const OF_TOOLS = /^(helm\.sh\/|checksum\/|app\.kubernetes\.io\/(part-of|managed-by|instance)$)/;

/** Sorts lists by name, whose order means nothing, and removes what the tools add. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list = value.map(comparable);
    const nameOf = (one: unknown): string => String((one as { name?: unknown })?.name ?? '');
    return list.every((one) => nameOf(one) !== '')
      ? list.sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
      : list;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !OF_TOOLS.test(key))
    .map(([key, one]) => [key, comparable(one)] as const)
    .filter(([key, one]) => !/^(labels|annotations)$/.test(key) || Object.keys(one ?? {}).length);
  return Object.fromEntries(entries);
}

/** Returns the objects by kind and name, without those that only one of the two tools creates. */
function byName(manifests: Manifest[]): Record<string, unknown> {
  const shared = manifests.filter(
    ({ kind, metadata }) =>
      kind !== 'Namespace' && metadata.annotations?.['helm.sh/hook'] === undefined,
  );
  const named = shared.map((one) => [`${one.kind} ${one.metadata.name}`, comparable(one)] as const);
  expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
  return Object.fromEntries(named);
}

/** Names of ConfigMaps without the digest that kustomize appends. */
function withoutDigests(yaml: string): string {
  return yaml.replace(/\b(bigtrace-settings|clickhouse-(?:config|server))-[a-z0-9]{10}\b/g, '$1');
}

test.each([
  ['k8s/base', []],
  ['k8s/overlays/minikube', ['--values', `${CHART}/values-minikube.yaml`]],
  ['k8s/overlays/gke', ['--values', `${CHART}/values-gke.yaml`]],
] as const)('the chart renders the objects of %s', (overlay, options) => {
  const ofKustomize = byName(manifestsOf(withoutDigests(kustomize(overlay))));
  expect(byName(rendered(...options))).toEqual(ofKustomize);
});

const COMPONENT = 'pod-deletion-cost';
const DELETION_COST = [
  '--values',
  `${CHART}/values-minikube.yaml`,
  '--set',
  'worker.podDeletionCost=true',
];

test(`the chart renders the objects of the component ${COMPONENT}`, () => {
  const overlay = relative(ROOT, join(directory, COMPONENT));
  const k8s = relative(join(directory, COMPONENT), join(ROOT, 'k8s'));
  mkdirSync(join(directory, COMPONENT));
  writeFileSync(
    join(directory, COMPONENT, 'kustomization.yaml'),
    stringify({
      resources: [`${k8s}/overlays/minikube`],
      components: [`${k8s}/components/${COMPONENT}`],
      namespace: 'bigtrace',
    }),
  );
  const ofKustomize = manifestsOf(withoutDigests(kustomize(overlay)));
  // Kustomize sets a namespace on admission policies, too, which have none; the API server removes it.
  for (const { kind, metadata } of ofKustomize)
    if (kind.startsWith('ValidatingAdmissionPolicy')) delete metadata.namespace;
  expect(byName(rendered(...DELETION_COST))).toEqual(byName(ofKustomize));
});

test('workers of a release in another namespace may patch pods of this namespace, and nothing else', () => {
  const manifests = rendered(...DELETION_COST, '--namespace', 'traces');
  const { ok, output } = validateObjects(manifests, join(directory, 'deletion-cost.yaml'));
  expect(ok, output).toBe(true);
  const objects = byName(manifests);
  expect(objects['Role worker-deletion-cost']).toMatchObject({
    metadata: { namespace: 'traces' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }],
  });
  expect(objects['RoleBinding worker-deletion-cost']).toMatchObject({
    metadata: { namespace: 'traces' },
    subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace: 'traces' }],
  });
  const policy = 'traces-worker-deletion-cost';
  expect(objects[`ValidatingAdmissionPolicy ${policy}`]).toMatchObject({
    spec: {
      matchConditions: [
        { expression: "request.userInfo.username == 'system:serviceaccount:traces:worker'" },
      ],
    },
  });
  expect(objects[`ValidatingAdmissionPolicyBinding ${policy}`]).toMatchObject({
    spec: { policyName: policy },
  });
});

const set = (values: Record<string, unknown>): string[] =>
  Object.entries(values).flatMap(([key, value]) => [
    '--set-json',
    `${key}=${JSON.stringify(value)}`,
  ]);

test('every option renders valid objects', () => {
  const manifests = rendered(
    ...set({
      ...{ 'superset.enabled': true, 'catalogJobs.enabled': true, gke: true },
      ...{ 'autoscaling.by': 'keda', 'worker.replicas': { min: 0, max: 7 } },
      ...{ 'orchestrator.replicas': 3, monitoring: 'PodMonitor' },
      expose: {
        kind: 'Ingress',
        httpApiHost: 'a.example',
        supersetHost: 'b.example',
        tlsSecret: 't',
      },
      'worker.serviceAccountAnnotations': { 'iam.gke.io/gcp-service-account': 'w@p' },
      'worker.pod': { priorityClassName: 'low', topologySpreadConstraints: [] },
      'worker.extraEnv': [{ name: 'BIGTRACE_GCS_ANONYMOUS', value: '1' }],
      'settings.BIGTRACE_LOG_LEVEL': 'warn',
    }),
  );
  const { ok, output } = validateObjects(manifests, join(directory, 'all.yaml'));
  expect(ok, output).toBe(true);
  const objects = byName(manifests);
  const kinds = manifests.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['CronJob', 'PodMonitor', 'ScaledObject']));
  expect(kinds).not.toContain('HorizontalPodAutoscaler');
  expect(kinds.filter((kind) => kind === 'Ingress')).toHaveLength(2);
  expect(objects['ScaledObject worker']).toMatchObject({
    spec: { minReplicaCount: 0, maxReplicaCount: 7 },
  });
  expect(objects['Deployment orchestrator']).toMatchObject({ spec: { replicas: 3 } });
  expect(objects['ServiceAccount worker']).toMatchObject({
    metadata: { annotations: { 'iam.gke.io/gcp-service-account': 'w@p' } },
  });
  expect(objects['Deployment worker']).toMatchObject({
    spec: {
      template: {
        spec: {
          ...{ priorityClassName: 'low', topologySpreadConstraints: [] },
          containers: [{ env: [{ name: 'BIGTRACE_GCS_ANONYMOUS', value: '1' }] }],
        },
      },
    },
  });
  expect(objects['ConfigMap bigtrace-settings']).toMatchObject({
    data: { BIGTRACE_LOG_LEVEL: 'warn', BIGTRACE_WORKER_WAIT: '10m' },
  });
  const hooks = manifests.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']);
  expect(hooks.map(({ kind }) => kind)).toEqual(['Pod']);
});

test('a ClickHouse of one’s own replaces the StatefulSet', () => {
  const manifests = rendered(
    ...set({ 'clickhouse.enabled': false, 'clickhouse.url': 'https://ch.example:8443' }),
    ...set({ expose: { kind: 'HTTPRoute', httpApiHost: 'a.example', gateway: { name: 'g' } } }),
  );
  const { ok, output } = validateObjects(manifests, join(directory, 'external.yaml'));
  expect(ok, output).toBe(true);
  const objects = byName(manifests);
  expect(
    Object.keys(objects).filter((name) => / clickhouse(-config|-server)?$/.test(name)),
  ).toEqual([]);
  expect(objects['NetworkPolicy external-clickhouse']).toMatchObject({
    spec: { egress: [{ ports: [{ protocol: 'TCP', port: 8443 }] }] },
  });
  expect(objects['ConfigMap bigtrace-settings']).toMatchObject({
    data: { BIGTRACE_CLICKHOUSE: 'https://ch.example:8443' },
  });
  expect(objects['HTTPRoute http-api']).toMatchObject({ spec: { parentRefs: [{ name: 'g' }] } });
});

test.each([
  [{ 'worker.replicas': { min: 5, max: 2 } }, 'min is 5, but worker.replicas.max is 2'],
  [{ 'clickhouse.enabled': false }, 'set clickhouse.url to your own ClickHouse'],
  [{ expose: { httpApiHost: 'a.example' } }, 'expose.kind is empty: set Ingress or HTTPRoute'],
  [{ expose: { kind: 'Ingress' } }, 'set expose.httpApiHost or expose.supersetHost'],
  [{ expose: { kind: 'HTTPRoute', httpApiHost: 'a.example' } }, 'set expose.gateway.name'],
  [{ expose: { kind: 'Ingress', supersetHost: 'b.example' } }, 'but superset.enabled is false'],
])('values that contradict each other are rejected: %j', (values, message) => {
  const { status, output } = helm('template', 'bigtrace', CHART, ...KUBE, ...set(values));
  expect(status, output).not.toBe(0);
  expect(output).toContain(message);
});

test.each([
  ['orchestrator.replica', 3, /replica/],
  ['worker.replicas.min', 0, /min/],
  ['settings.LOG_LEVEL', 'warn', /LOG_LEVEL/],
  ['settings.BIGTRACE_CACHE_BYTE', '18GiB', /BIGTRACE_CACHE_BYTE'/],
  ['autoscaling.by', 'memory', /autoscaling/],
  ['autoscaling.traceBytesPerWorker', 'lots', /traceBytesPerWorker/],
  ['worker.cacheSize', 'lots', /cacheSize/],
  ['clickhouse.storage', '50 Gi', /storage/],
  ['worker.resources.limits.memory', 'lots', /memory/],
  ['catalogJobs.schedule', 'never', /schedule/],
  ['catalogJobs.schedule', '17 * * *', /schedule/],
  ['expose.gateway.nam', 'g', /nam/],
])('the value %s=%s is rejected', (key, value, message) => {
  const { status, output } = helm('template', 'bigtrace', CHART, ...KUBE, ...set({ [key]: value }));
  expect(status, output).not.toBe(0);
  expect(output).toMatch(message);
});

test.each(['*/15 0-6,12 1 JAN mon-fri', '@every 1h30m'])(
  'the schedule %s is accepted',
  (schedule) => {
    const values = set({ 'catalogJobs.enabled': true, 'catalogJobs.schedule': schedule });
    const jobs = rendered(...values).filter(({ kind }) => kind === 'CronJob');
    expect(jobs.map(({ spec }) => spec?.['schedule'])).toContain(schedule);
  },
);

test('sizes and fields that Kubernetes, KEDA’s scaler and the Gateway API accept are accepted', () => {
  const gateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'g', port: 443 };
  const values = {
    ...{ 'worker.cacheSize': '2e10', 'clickhouse.storage': '50.5Gi' },
    ...{ 'autoscaling.by': 'keda', 'autoscaling.traceBytesPerWorker': '8 GiB' },
    expose: { kind: 'HTTPRoute', httpApiHost: 'a.example', gateway },
  };
  const route = rendered(...set(values)).find(({ kind }) => kind === 'HTTPRoute');
  expect(route).toMatchObject({ spec: { parentRefs: [gateway] } });
});

test('the packaged chart contains the manifests that it links to', () => {
  const { status, output } = helm('package', CHART, '--destination', directory);
  expect(status, output).toBe(0);
  const packaged = helm(
    'template',
    'bigtrace',
    join(directory, `bigtrace-${VERSION}.tgz`),
    ...KUBE,
  );
  expect(packaged.status, packaged.output).toBe(0);
  expect(packaged.stdout).toContain('kind: StatefulSet');
  const lint = helm('lint', '--strict', CHART, ...KUBE);
  expect(lint.status, lint.output).toBe(0);
});
