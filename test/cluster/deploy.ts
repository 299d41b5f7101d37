/** Installs the system as docs/deploy/kubernetes.md does for minikube, before the first test. */
import { randomUUID } from 'node:crypto';
import { kubectl, overlay, ready } from './cluster.ts';

export default async function deploy(): Promise<void> {
  await kubectl('create', 'namespace', 'bigtrace');
  const passwords = ['admin', 'analyst', 'service'].map(
    (user) => `--from-literal=${user}=${randomUUID()}`,
  );
  await kubectl('create', 'secret', 'generic', 'bigtrace-passwords', ...passwords);
  await kubectl('apply', '--kustomize', overlay());
  await Promise.all([
    ready('clickhouse', 1),
    ready('worker', 2),
    ready('orchestrator', 2),
    ready('http-api', 1),
  ]);
}
