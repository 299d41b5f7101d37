/** metrics-server in small: the CPU and memory of pods, from the kubelet's summary. */
import { kubectl, type Pod } from '../cluster.ts';
import { serveApi } from './aggregated-api.ts';

interface Summary {
  pods: {
    podRef: { name: string; namespace: string };
    containers?: {
      name: string;
      cpu?: { time: string; usageNanoCores?: number };
      memory?: { workingSetBytes?: number };
    }[];
  }[];
}

export function startMetricsServer(): Promise<AsyncDisposable> {
  return serveApi('metrics.k8s.io', async (path, labels) => {
    const namespace = /^namespaces\/([^/]+)\/pods$/.exec(path)?.[1];
    if (namespace === undefined) throw new Error(`${path} is not served`);
    const selected = ['--namespace', namespace, '--selector', labels, '--output', 'json'];
    const { items } = JSON.parse(await kubectl('get', 'pods', ...selected)) as { items: Pod[] };
    const names = new Set(items.map(({ metadata }) => metadata.name));
    const summary = await kubectl('get', '--raw', '/api/v1/nodes/node1/proxy/stats/summary');
    const { pods } = JSON.parse(summary) as Summary;
    return {
      ...{ kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {} },
      items: pods
        .filter(({ podRef }) => podRef.namespace === namespace && names.has(podRef.name))
        .flatMap(({ podRef, containers = [] }) => {
          const measured = containers.filter(({ cpu }) => cpu?.usageNanoCores !== undefined);
          const timestamp = measured[0]?.cpu?.time;
          if (timestamp === undefined) return [];
          const usages = measured.map(({ name, cpu, memory }) => ({
            name,
            usage: {
              cpu: `${cpu?.usageNanoCores}n`,
              memory: String(memory?.workingSetBytes ?? 0),
            },
          }));
          return [{ metadata: podRef, timestamp, window: '10s', containers: usages }];
        }),
    };
  });
}
