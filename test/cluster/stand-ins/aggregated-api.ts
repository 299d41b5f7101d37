/** Serves an API of the cluster from this process, as metrics-server and KEDA do: the API server forwards requests. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { apply, kubectl, STATE, until } from '../cluster.ts';

const SYSTEM = 'kube-system';

/**
 * Registers `group`/v1beta1, whose resources `respond` lists. The API server checks who may read them.
 * @param respond returns the response to a path below `/apis/GROUP/v1beta1/`
 */
export async function serveApi(
  group: string,
  respond: (path: string, labels: string) => Promise<object>,
): Promise<AsyncDisposable> {
  const key = (name: string): Buffer => readFileSync(join(STATE, 'keys', name));
  const server = createServer({ cert: key('node.crt'), key: key('node.key') });
  const base = `/apis/${group}/v1beta1`;
  server.on('request', async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://node1');
    try {
      const body =
        pathname === base
          ? { kind: 'APIResourceList', groupVersion: `${group}/v1beta1`, resources: [] }
          : await respond(pathname.slice(base.length + 1), searchParams.get('labelSelector') ?? '');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  const output = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
  const address = await kubectl('get', 'node', 'node1', '--output', output);
  await once(server.listen(0, address), 'listening');
  await register(group, address, (server.address() as AddressInfo).port);
  return {
    async [Symbol.asyncDispose]() {
      await kubectl('delete', 'apiservice', `v1beta1.${group}`);
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Makes the objects that lead from the group to an address, and waits until the API server has reached it. */
async function register(group: string, address: string, port: number): Promise<void> {
  const name = group.replaceAll('.', '-');
  const metadata = { name, namespace: SYSTEM };
  await apply(
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 443 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: '', port }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1beta1.${group}` },
      spec: {
        ...{ group, version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
        insecureSkipTLSVerify: true,
        service: { name, namespace: SYSTEM, port: 443 },
      },
    },
  );
  await until(`the API server reaches ${group}`, async () => {
    const output = 'jsonpath={.status.conditions[?(@.type=="Available")].status}';
    return (await kubectl('get', 'apiservice', `v1beta1.${group}`, '-o', output)) === 'True';
  });
}
