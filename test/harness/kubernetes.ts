/** Runs kustomize and a strict validator of manifests; installs them from package registries if necessary. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../../lib/common/root.ts';

const CACHE = join(ROOT, 'node_modules/.cache');
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.0';
/** The package's version is that of the Kubernetes release whose schemas it contains. */
const VALIDATOR = 'kubernetes-validate==1.37.0';

/** The fields of a manifest that the tests check; the validator checks the others. */
export interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  spec?: Record<string, unknown>;
}

/** Returns the manifests of a kustomization as YAML. */
export function kustomize(directory: string): string {
  const [command, ...args] = kustomizeCommand();
  return execFileSync(command, [...args, directory], { cwd: ROOT, encoding: 'utf8' });
}

function kustomizeCommand(): [string, ...string[]] {
  const works = (command: string, ...args: string[]): boolean =>
    spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  if (works('kubectl', 'kustomize', '--help')) return ['kubectl', 'kustomize'];
  const path = join(CACHE, 'kustomize');
  if (!existsSync(path))
    execFileSync('go', ['install', KUSTOMIZE], { env: { ...process.env, GOBIN: CACHE } });
  return [path, 'build'];
}

export function manifestsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);
}

/** Validates `file` against the Kubernetes API, where an unknown field is an error. */
export function validate(file: string): { ok: boolean; output: string } {
  const home = join(CACHE, VALIDATOR);
  const command = join(home, 'bin/kubernetes-validate');
  if (!existsSync(command)) {
    execFileSync('python3', ['-m', 'venv', home]);
    execFileSync(join(home, 'bin/pip'), ['install', '--quiet', VALIDATOR]);
  }
  const { status, stdout, stderr } = spawnSync(command, ['--strict', file], { encoding: 'utf8' });
  return { ok: status === 0, output: stdout + stderr };
}
