/** Pods that only connect to others, and what the network policies let pods do. */
import { expect } from 'vitest';
import {
  apply,
  isReady,
  kubectl,
  NAMESPACE,
  type Part,
  type Pod,
  podsOf,
  until,
} from './cluster.ts';

const TIMEOUT_MS = 3000;
const EFFECT_MS_MAX = 60_000;

export interface ClientPod {
  name: string;
  namespace: string;
  labels: Record<string, string>;
}

/** Starts pods with the image of the workers, and waits until they are ready. */
export async function startClients(clients: readonly ClientPod[]): Promise<void> {
  const image = (await firstPod('worker')).spec.containers[0]?.image ?? '';
  await apply(
    ...clients.map((metadata) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'client', image, command: ['sleep', 'infinity'] }],
      },
    })),
  );
  for (const { name, namespace } of clients)
    await until(`pod ${name} is ready`, async () => {
      const text = await kubectl('get', 'pod', name, '--namespace', namespace, '--output', 'json');
      return isReady(JSON.parse(text) as Pod);
    });
}

export async function removeClients(clients: readonly ClientPod[]): Promise<void> {
  for (const { name, namespace } of clients)
    await kubectl('delete', 'pod', name, '--namespace', namespace, '--ignore-not-found');
}

async function firstPod(part: Part): Promise<Pod> {
  const [pod] = await podsOf(part);
  if (pod === undefined) throw new Error(`there is no pod of ${part}`);
  return pod;
}

/** Returns the address of a pod of a part. */
export async function addressOf(part: Part): Promise<string> {
  return (await firstPod(part)).status.podIP ?? '';
}

/** Checks whether a pod can connect. A policy takes effect some time after its objects and pods exist. */
export async function mayConnect(
  { name, namespace }: { name: string; namespace: string },
  address: string,
  port: number,
  allowed: boolean,
): Promise<void> {
  const script = `
    const socket = require('node:net').connect(${port}, '${address}');
    const tell = (text) => { console.log(text); process.exit(); };
    socket.on('connect', () => tell('connected'));
    socket.on('error', (error) => tell(error.code));
    setTimeout(() => tell('dropped'), ${TIMEOUT_MS});`;
  const command = ['exec', name, '--namespace', namespace, '--', 'node', '-e', script];
  const connect = async (): Promise<string> => (await kubectl(...command)).trim();
  const outcome = expect.poll(connect, { timeout: EFFECT_MS_MAX });
  await (allowed ? outcome.toBe('connected') : outcome.not.toBe('connected'));
}

/** The pod of a part of the system, as a client. */
export async function clientOf(part: Part): Promise<{ name: string; namespace: string }> {
  return { name: (await firstPod(part)).metadata.name, namespace: NAMESPACE };
}
