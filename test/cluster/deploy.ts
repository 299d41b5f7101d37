/** Installs the system as docs/deploy/kubernetes.md does for minikube, before the first test. */
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kubectl, NAMESPACE, overlay, ready, STATE } from './cluster.ts';

/** Directory of the only volume (node.sh), and the volume. */
const DISK = join(STATE, 'disk');
const VOLUME = 'disk';

/** Removes what the first try of a failed file left (tools/test-run/stage.mjs), and what is on the volume. */
async function removePrevious(): Promise<void> {
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false');
  await kubectl('delete', 'pods', '--all', '--force'); // without the time in which they end their work
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found');
  const entries = readdirSync(DISK);
  if (entries.length === 0) return;
  for (const entry of entries) rmSync(join(DISK, entry), { recursive: true, maxRetries: 10 }); // a container may still end
  await kubectl('patch', 'persistentvolume', VOLUME, '--patch', '{"spec":{"claimRef":null}}');
}

export default async function deploy(): Promise<void> {
  await removePrevious();
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
