/**
 * Prints the packages that users install, in the CycloneDX format. It takes them from package-lock.json, because
 * `npm sbom --omit dev` also leaves out packages on which a development dependency depends.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../root.mjs';

/** Returns `pkg:npm/NAME@VERSION` for each package that is not only for development. */
export function passedOn() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => `pkg:npm/${path.split('node_modules/').at(-1)}@${version}`);
}

export function sbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const bom = JSON.parse(execFileSync('npm', args, { cwd: root, maxBuffer: 2 ** 28 }));
  const wanted = new Set(passedOn());
  const components = bom.components.filter(({ purl }) => wanted.has(decodeURIComponent(purl)));
  const refs = new Set([...components, bom.metadata.component].map((one) => one['bom-ref']));
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  return { ...bom, components, dependencies };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(JSON.stringify(sbom(), null, 2));
