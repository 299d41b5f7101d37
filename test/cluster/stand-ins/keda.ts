/**
 * KEDA in small: what its operator does for the ScaledObject `worker` with one trigger `external-push`. It calls the
 * orchestrator, scales from and to no workers, and lets a HorizontalPodAutoscaler do the rest by external metrics.
 */
import * as grpc from '@grpc/grpc-js';
import type {
  GetMetricSpecResponse,
  GetMetricsResponse,
  IsActiveResponse,
} from '../../../lib/proto/messages.ts';
import { ExternalScaler } from '../../../lib/proto/services.ts';
import { apply, kubectl, NAMESPACE } from '../cluster.ts';
import { serveApi } from './aggregated-api.ts';

interface ScaledObject {
  spec: {
    minReplicaCount: number;
    maxReplicaCount: number;
    cooldownPeriod: number;
    advanced: { horizontalPodAutoscalerConfig: { behavior: object } };
    triggers: [{ metadata: Record<string, string> }];
  };
}

/** KEDA names metrics after the trigger's place in the list. */
const PREFIX = 's0-';
const GROUP = 'external.metrics.k8s.io';

/** Starts scaling. Disposing it deletes the autoscaler. @throws later, from `failed`, if a call fails */
export async function startKeda(): Promise<AsyncDisposable & { failed: Promise<never> }> {
  const read = await kubectl('get', 'scaledobject', 'worker', '--output', 'json');
  const { spec } = JSON.parse(read) as ScaledObject;
  const [{ metadata: scalerMetadata }] = spec.triggers;
  const scaledObjectRef = { name: 'worker', namespace: NAMESPACE, scalerMetadata };
  const client = await clientOf(scalerMetadata['scalerAddress'] ?? '');

  const api = await serveApi(GROUP, async (path) => {
    const metricName = path.split('/').at(-1)?.slice(PREFIX.length) ?? '';
    const response = await call<GetMetricsResponse>((done) =>
      client.GetMetrics({ scaledObjectRef, metricName }, done),
    );
    const timestamp = new Date().toISOString().replace(/\.\d+/, '');
    const items = response.metricValues.map((one) => ({
      ...{ metricName: PREFIX + one.metricName, metricLabels: {}, timestamp },
      value: String(one.metricValueFloat),
    }));
    const apiVersion = `${GROUP}/v1beta1`;
    return { kind: 'ExternalMetricValueList', apiVersion, metadata: {}, items };
  });
  const { metricSpecs } = await call<GetMetricSpecResponse>((done) =>
    client.GetMetricSpec(scaledObjectRef, done),
  );
  await apply(autoscaler(spec, metricSpecs));

  const stream = client.StreamIsActive(scaledObjectRef);
  let cooldown: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    stream.on('error', (error: grpc.ServiceError) => {
      if (error.code !== grpc.status.CANCELLED) reject(error);
    });
    stream.on('data', ({ result }: IsActiveResponse) => {
      clearTimeout(cooldown);
      if (result) activate(spec.minReplicaCount).catch(reject);
      else
        cooldown = setTimeout(
          () => void scale(spec.minReplicaCount).catch(reject),
          spec.cooldownPeriod * 1000,
        );
    });
  });
  failed.catch(() => {}); // whoever awaits it sees the error
  return {
    failed,
    async [Symbol.asyncDispose]() {
      clearTimeout(cooldown);
      stream.cancel();
      client.close();
      await kubectl('delete', 'hpa', 'keda-hpa-worker');
      await api[Symbol.asyncDispose]();
    },
  };
}

/** The address is `SERVICE.NAMESPACE:PORT`, which only pods resolve. */
async function clientOf(scalerAddress: string): Promise<InstanceType<typeof ExternalScaler>> {
  const [, service = '', namespace = '', port] = /^(\w+)\.(\w+):(\d+)$/.exec(scalerAddress) ?? [];
  const where = ['get', 'service', service, '--namespace', namespace];
  const address = await kubectl(...where, '--output', 'jsonpath={.spec.clusterIP}');
  return new ExternalScaler(`${address}:${port}`, grpc.credentials.createInsecure());
}

function call<Response>(
  begin: (done: (error: grpc.ServiceError | null, response?: Response) => void) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    begin((error, response) => {
      if (response === undefined) reject(error);
      else resolve(response);
    });
  });
}

function autoscaler(
  spec: ScaledObject['spec'],
  metricSpecs: GetMetricSpecResponse['metricSpecs'],
): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'keda-hpa-worker', namespace: NAMESPACE },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker' },
      minReplicas: Math.max(spec.minReplicaCount, 1),
      maxReplicas: spec.maxReplicaCount,
      behavior: spec.advanced.horizontalPodAutoscalerConfig.behavior,
      metrics: metricSpecs.map(({ metricName, targetSizeFloat }) => ({
        type: 'External',
        external: {
          metric: { name: PREFIX + metricName },
          target: { type: 'AverageValue', averageValue: String(targetSizeFloat) },
        },
      })),
    },
  };
}

async function activate(minimum: number): Promise<void> {
  const output = 'jsonpath={.spec.replicas}';
  if ((await kubectl('get', 'deployment', 'worker', '--output', output)) === '0')
    await scale(Math.max(minimum, 1));
}

async function scale(count: number): Promise<void> {
  await kubectl('scale', 'deployment/worker', `--replicas=${count}`);
}
