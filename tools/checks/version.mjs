/**
 * Keeps versions in sync with package.json. Manifests, compose.yaml, Dockerfiles and documents repeat the version,
 * because other programs read them directly. `npm version NUMBER` calls this with --write; tidy.mjs calls
 * `wrongVersions`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../root.mjs';
import { repositoryFiles } from './repository-files.mjs';

const FILES =
  /^(compose\.yaml|\.env\.example|k8s\/.*\.yaml|charts\/.*\.yaml|([\w-]+\/)*Dockerfile|docs\/.*\.md)$/;

/** Patterns whose groups are the text before a version and the version. */
const REPEATED = [
  /(\$\{BIGTRACE_VERSION:-)(\d[\w.-]*)/g,
  /(^#?BIGTRACE_VERSION=)(\d[\w.-]*)/gm,
  /(^ARG VERSION=)(\d[\w.-]*)/gm,
  /(\bbigtrace\/[\w$]+:)(\d[\w.-]*)/g,
  /(^(?:v|appV)ersion: )(\d[\w.-]*)/gm,
  /(\bnewTag: )(\d[\w.-]*)/g,
  /(\bbigtrace\/\w+, tag: )(\d[\w.-]*)/g,
  /(\bbigtrace-)(\d[\w.-]*)(?=\.tgz)/g,
];

/** Returns `{path, version}` for each place that has another version than package.json. */
export function wrongVersions() {
  const wanted = version();
  return filesWithVersions().flatMap(({ path, text }) =>
    REPEATED.flatMap((pattern) => [...text.matchAll(pattern)])
      .map(([, , found]) => ({ path, version: found }))
      .filter((place) => place.version !== wanted),
  );
}

function writeVersion() {
  for (const { path, text } of filesWithVersions()) {
    const written = REPEATED.reduce((now, pattern) => now.replace(pattern, `$1${version()}`), text);
    if (written !== text) writeFileSync(join(root, path), written);
  }
}

function filesWithVersions() {
  return repositoryFiles(root)
    .filter((path) => FILES.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function version() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--write')
  writeVersion();
